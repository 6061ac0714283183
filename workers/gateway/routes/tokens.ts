import { createRoute } from "@hono/zod-openapi";
import {
  type IssuedSession,
  issuedSession,
  issuedToken,
  sessionInput,
  tokenInput,
} from "../../../shared/contracts/credential.ts";
import { toInstant } from "../../../shared/contracts/primitives.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { newAnonymousId } from "../../../shared/users/anonymous-id.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";
import { describeAccess } from "../keys/caller.ts";
import { cryptoBytes } from "../keys/key.ts";
import { requesterOf } from "../keys/requester-of.ts";
import { hashNetwork, maxSessionSeconds, tokenExpiry } from "../keys/sessions.ts";
import { signingSecret, type TokenSecret } from "../keys/token-secrets.ts";
import { issueToken, type TokenSubject } from "../keys/tokens.ts";
import { limitSessions, networkSessionPolicy, sessionPolicy } from "../middleware/limit-address.ts";
import {
  type GuardRoute,
  jsonBody,
  jsonResponse,
  kilobytes,
  noQuery,
  problemResponses,
} from "../openapi/operation.ts";
import { clientNetworkOf } from "../request/client-network.ts";

const session = issuedSession.meta({ id: "Session" });
const sessionBody = jsonBody(sessionInput.meta({ id: "SessionBody" }));
const tags = ["Keys"];

/** Adds the routes that issue user tokens: for any user by a secret key, and for anonymous sessions. */
export function addTokenRoutes(app: Gateway, dependencies: Dependencies, guard: GuardRoute): void {
  const { services, settings, now, sessionLimiters } = dependencies;

  /** Returns the secret that signs now. `at` is in seconds since the Unix epoch. */
  const requireSecret = (at: number): TokenSecret =>
    signingSecret(settings.tokenSecrets, at) ??
    throwRefusal(
      "unavailable",
      "This deployment cannot issue tokens: its secret TOKEN_SECRET is not set, or has not begun to sign.",
    );

  /** Returns a new token of an anonymous session. */
  async function issueSession(
    subject: TokenSubject & { session: NonNullable<TokenSubject["session"]> },
    at: number,
    ttlSeconds: number,
    keyExpiresAt: number | null,
  ): Promise<IssuedSession> {
    const endsAt = Math.floor(subject.session.startedAt) + maxSessionSeconds;
    const expiresAt = tokenExpiry(at, ttlSeconds, [keyExpiresAt, endsAt]);
    const token = await issueToken(subject, requireSecret(at), at, expiresAt);
    return {
      userId: subject.userId,
      token,
      expiresAt: toInstant(expiresAt),
      endsAt: toInstant(Math.min(endsAt, keyExpiresAt ?? endsAt)),
    };
  }

  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/tokens",
      summary: "Issue a token (JWT) for one user",
      description:
        `${describeAccess("tokens:issue")} A token gives its holder the user's profile, history, export and location, and ` +
        "acts for the user. So a key with `tokens:issue` can do all of that for every user: give it to no other service. " +
        "The token ends with the key that issued it, and when the user is erased.",
      tags,
      ...guard("tokens:issue", kilobytes(4)),
      request: { query: noQuery, body: jsonBody(tokenInput.meta({ id: "TokenBody" })) },
      responses: { 201: jsonResponse("Issued.", issuedToken.meta({ id: "Token" })), ...problemResponses },
    }),
    async (c) => {
      const { userId, ttlSeconds } = c.req.valid("json");
      const { caller } = c.var;
      const at = now() / 1000;
      const secret = requireSecret(at);
      const expiresAt = tokenExpiry(at, ttlSeconds, [caller.keyExpiresAt]);
      const { application, keyId } = caller;
      const token = await issueToken({ application, userId, keyId, session: null }, secret, at, expiresAt);
      return c.json({ token, userId, expiresAt: toInstant(expiresAt) }, 201);
    },
  );

  const start = guard("key", kilobytes(4));
  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/sessions",
      summary: "Start an anonymous session: a new user and a token for it",
      description:
        `${describeAccess("key")} The id of the user cannot be guessed. With a publishable key, each client address may ` +
        `start ${sessionPolicy.requests} sessions in ${sessionPolicy.seconds} s, and each client network ` +
        `${networkSessionPolicy.requests}. The token ends with the key, and a session ` +
        "ends after 90 days. Nobody vouches for its user, so it counts little for the lists of others.",
      tags,
      security: start.security,
      middleware: [...start.middleware, limitSessions(sessionLimiters)],
      request: { query: noQuery, body: sessionBody },
      responses: { 201: jsonResponse("Started.", session), ...problemResponses },
    }),
    async (c) => {
      const at = now() / 1000;
      const { application, keyId, keyExpiresAt, kind } = c.var.caller;
      // A server starts sessions for others, so that its own network says nothing of them.
      const network =
        kind === "publishable"
          ? await hashNetwork(requireSecret(at), application, clientNetworkOf(c.req.raw.headers))
          : null;
      const userId = newAnonymousId(cryptoBytes);
      const subject = { application, userId, keyId, session: { startedAt: at, network } };
      return c.json(await issueSession(subject, at, c.req.valid("json").ttlSeconds, keyExpiresAt), 201);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/sessions/renew",
      summary: "Get a new token of an anonymous session, before its token expires",
      description:
        `${describeAccess("session")} The older token works until it expires. A session cannot be renewed beyond ` +
        "`endsAt`, after its key has ended, or after its user was erased; then start another one.",
      tags,
      ...guard("session", kilobytes(4)),
      request: { query: noQuery, body: sessionBody },
      responses: { 201: jsonResponse("Renewed.", session), ...problemResponses },
    }),
    async (c) => {
      const { caller } = c.var;
      if (caller.kind !== "user" || caller.session === null)
        throwRefusal("forbidden", describeAccess("session"));
      const { application, userId, keyId, keyExpiresAt, session: renewed } = caller;
      unwrap(
        await services.recommendation.checkRequester(application, userId, requesterOf(caller)),
        "the recommendation service",
      );
      const subject = { application, userId, keyId, session: renewed };
      return c.json(
        await issueSession(subject, now() / 1000, c.req.valid("json").ttlSeconds, keyExpiresAt),
        201,
      );
    },
  );
}
