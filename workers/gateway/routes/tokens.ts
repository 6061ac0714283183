import { createRoute } from "@hono/zod-openapi";
import { issuedToken, tokenInput } from "../../../shared/contracts/credential.ts";
import { toInstant } from "../../../shared/contracts/primitives.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";
import { issueToken } from "../keys/tokens.ts";
import {
  type GuardRoute,
  jsonBody,
  jsonResponse,
  kilobytes,
  noQuery,
  problemResponses,
} from "../openapi/operation.ts";

/** Tokens that stand for one person, for the front ends that the person holds. */
export function addTokenRoute(app: Gateway, { settings, now }: Dependencies, guard: GuardRoute): void {
  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/tokens",
      summary: "Issue a token (JWT) for one person",
      description:
        "Admin, or a client key with tokens:issue. The token may do for its person what a client key may do for all.",
      tags: ["Keys"],
      ...guard("tokens:issue", kilobytes(4)),
      request: { query: noQuery, body: jsonBody(tokenInput.meta({ id: "TokenBody" })) },
      responses: { 201: jsonResponse("Issued.", issuedToken.meta({ id: "Token" })), ...problemResponses },
    }),
    async (c) => {
      const { tokenSecret } = settings;
      if (tokenSecret === null)
        throwRefusal("unavailable", "This deployment has no secret to sign tokens with.");
      const { userId, ttlSeconds } = c.req.valid("json");
      const at = Math.floor(now() / 1000);
      const { caller } = c.var;
      if (caller.kind === "person") throwRefusal("forbidden", "A token issues no tokens.");
      const subject = { application: caller.application, userId, keyId: caller.keyId };
      const token = await issueToken(subject, tokenSecret, at, ttlSeconds);
      return c.json({ token, userId, expiresAt: toInstant(at + ttlSeconds) }, 201);
    },
  );
}
