import { createRoute } from "@hono/zod-openapi";
import { merge, mergeInput } from "../../../shared/contracts/merge.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";
import type { Authenticator } from "../keys/authenticator.ts";
import type { Caller } from "../keys/caller.ts";
import { mayMergeByKey, requesterOf } from "../keys/requester-of.ts";
import {
  type GuardRoute,
  idPath,
  jsonBody,
  jsonResponse,
  kilobytes,
  noQuery,
  plainIdPath,
  problemResponses,
} from "../openapi/operation.ts";
import { limitedAddressOf } from "../request/client-network.ts";

const stored = merge.meta({ id: "Merge" });
const tags = ["People"];
const access = "Requires an admin key, a server key with `people:write`, or the tokens of both users.";
const keyOfKnownUsers =
  "A server key merges users of anonymous sessions into known users. For other users, send the `fromToken` of the user in " +
  "`from`, or use a key with `people:read`, `locations:read` and `people:write`.";

/** Adds the routes that merge one user, such as an anonymous one, into another. */
export function addMergeRoutes(
  app: Gateway,
  { services }: Dependencies,
  guard: GuardRoute,
  authenticator: Authenticator,
): void {
  /** Returns when the token of the merged user was issued, in seconds; null if the caller, a key, sends none. */
  const checkFromToken = async (
    request: Request,
    caller: Caller,
    from: string,
    into: string,
    fromToken: string | undefined,
  ): Promise<number | null> => {
    if (fromToken === undefined) {
      if (caller.kind !== "user") {
        if (!mayMergeByKey(caller, from, into)) throwRefusal("forbidden", keyOfKnownUsers);
        return null;
      }
      const message = "must be the token of the user in `from`, because the credential is a token; got none";
      throwRefusal("invalid_input", `\`fromToken\` ${message}.`, {
        issues: [{ path: "fromToken", message }],
      });
    }
    const owner = await authenticator.identify({
      text: fromToken,
      skipCache: true,
      address: limitedAddressOf(request),
      isLocal: authenticator.isLocal(request),
    });
    if (owner?.kind !== "user")
      throwRefusal(
        "forbidden",
        "`fromToken` must be a valid user token; it is unknown, expired or malformed.",
      );
    if (owner.application !== caller.application || owner.userId !== from)
      throwRefusal("forbidden", "`fromToken` must be a token of the user in `from`.");
    return owner.issuedAt;
  };

  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/users/{id}/merge",
      summary: "Merge another user into this one",
      description:
        `${access} A caller with a token sends the token of this user as credential, and that of the other in \`fromToken\`. ` +
        `${keyOfKnownUsers} ` +
        "History, profile, receipts and experiment counts of `from` become those of this user, each event once. The merge " +
        "continues in the background. From the answer on, tokens of `from` end, and its events are refused with " +
        "`user_merged` until `from` is erased. Sent again, it answers with the same merge. A key that names an unknown user " +
        "in `from` gets 404, unless it is the user of an anonymous session.",
      tags,
      ...guard("change", kilobytes(16)),
      request: { params: idPath, query: noQuery, body: jsonBody(mergeInput.meta({ id: "MergeBody" })) },
      responses: {
        202: jsonResponse(
          "Started and stored durably. The merge of a short history may be done already.",
          stored,
        ),
        ...problemResponses,
      },
    }),
    async (c) => {
      const { caller } = c.var;
      const { from, fromToken } = c.req.valid("json");
      const { id } = c.req.valid("param");
      const issuedAt = await checkFromToken(c.req.raw, caller, from, id, fromToken);
      const started = unwrap(
        await services.recommendation.beginMerge(caller.application, id, from, requesterOf(caller), issuedAt),
        "the recommendation service",
      );
      return c.json(started, 202, { location: `/v1/merges/${started.id}` });
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/merges/{id}",
      summary: "Get the progress of a merge, store by store",
      description:
        "Requires an admin or server key, or a token of the user who stays. A merge can be read after it ended, too.",
      tags,
      ...guard("user"),
      request: { params: plainIdPath, query: noQuery },
      responses: { 200: jsonResponse("The merge.", stored), ...problemResponses },
    }),
    async (c) => {
      const { caller } = c.var;
      const into = caller.kind === "user" ? caller.userId : null;
      return c.json(
        unwrap(
          await services.recommendation.getMerge(caller.application, c.req.valid("param").id, into),
          "the recommendation service",
        ),
        200,
      );
    },
  );
}
