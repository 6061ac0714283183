import { createRoute } from "@hono/zod-openapi";
import { issuedToken, tokenInput } from "../../../shared/contracts/credential.ts";
import { toInstant } from "../../../shared/contracts/primitives.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";
import { describeAccess } from "../keys/caller.ts";
import { issueToken } from "../keys/tokens.ts";
import {
  type GuardRoute,
  jsonBody,
  jsonResponse,
  kilobytes,
  noQuery,
  problemResponses,
} from "../openapi/operation.ts";

/** Adds the route that issues tokens. A front end holds a token of its user instead of a key. */
export function addTokenRoute(app: Gateway, { settings, now }: Dependencies, guard: GuardRoute): void {
  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/tokens",
      summary: "Issue a token (JWT) for one user",
      description:
        `${describeAccess("tokens:issue")} A token may do for its own user what a server key without scopes may do for ` +
        "every user.",
      tags: ["Keys"],
      ...guard("tokens:issue", kilobytes(4)),
      request: { query: noQuery, body: jsonBody(tokenInput.meta({ id: "TokenBody" })) },
      responses: { 201: jsonResponse("Issued.", issuedToken.meta({ id: "Token" })), ...problemResponses },
    }),
    async (c) => {
      const { tokenSecret } = settings;
      if (tokenSecret === null)
        throwRefusal(
          "unavailable",
          "This deployment cannot issue tokens: its secret TOKEN_SECRET is not set.",
        );
      const { userId, ttlSeconds } = c.req.valid("json");
      const at = now() / 1000;
      const { caller } = c.var;
      if (caller.kind === "user") throwRefusal("forbidden", "A token cannot issue tokens; use a key.");
      const subject = { application: caller.application, userId, keyId: caller.keyId };
      const token = await issueToken(subject, tokenSecret, at, ttlSeconds);
      return c.json({ token, userId, expiresAt: toInstant(Math.floor(at) + ttlSeconds) }, 201);
    },
  );
}
