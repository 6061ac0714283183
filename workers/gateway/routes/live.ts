import { createRoute } from "@hono/zod-openapi";
import { liveHeaders } from "../../../shared/contracts/live.ts";
import { endedTokenText } from "../../../shared/users/ended-token.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import { upgradeRequiredResponse } from "../errors/problem-response.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";
import { type Caller, describeAccess } from "../keys/caller.ts";
import { negotiatedSubprotocol } from "../keys/credential.ts";
import { requesterOf } from "../keys/requester-of.ts";
import { requireAllowedOrigin } from "../middleware/cross-origin.ts";
import { type GuardRoute, idPath, noQuery, problemResponses } from "../openapi/operation.ts";

/**
 * Maximum duration of a WebSocket; the client then opens another. An open WebSocket does not check its key again, so a
 * revoked key can receive for this long.
 */
const maxConnectionSeconds = 900;

/**
 * Returns when a caller's WebSocket closes, at the latest when its token or key ends. The result and `now` are in seconds
 * since the Unix epoch.
 */
const expiryOf = (caller: Caller, now: number): number =>
  Math.min(
    now + maxConnectionSeconds,
    caller.keyExpiresAt ?? Number.POSITIVE_INFINITY,
    caller.kind === "user" ? caller.expiresAt : Number.POSITIVE_INFINITY,
  );

/** Adds the WebSocket that sends a user new recommendations whenever the user moves or an event is recorded. */
export function addLiveRoute(
  app: Gateway,
  { services, settings, now }: Dependencies,
  guard: GuardRoute,
): void {
  const { security, middleware } = guard("self");
  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/users/{id}/live",
      summary: "Receive new recommendations as they change (WebSocket)",
      description:
        `${describeAccess("self")} Browsers send the credential as a subprotocol: \`new WebSocket(url, ['vicinity', token])\`. The ` +
        "connection closes with code 1008 when the token or its key expires, after 15 minutes at the latest; then open another. A user " +
        "can have at most 8 connections.",
      tags: ["Recommendations"],
      security,
      middleware: [...middleware, requireAllowedOrigin(settings.origins)],
      request: { params: idPath, query: noQuery },
      responses: {
        101: { description: "Connected." },
        426: { description: "The request is not a WebSocket upgrade." },
        ...problemResponses,
      },
    }),
    async (c) => {
      if (c.req.header("upgrade")?.toLowerCase() !== "websocket") return upgradeRequiredResponse(c);
      const { mayKnowPlace, isVouched } = requesterOf(c.var.caller);
      const headers = new Headers({
        upgrade: "websocket",
        [liveHeaders.application]: c.var.caller.application,
        [liveHeaders.userId]: encodeURIComponent(c.req.valid("param").id),
        [liveHeaders.mayKnowPlace]: mayKnowPlace ? "yes" : "no",
        [liveHeaders.isVouched]: isVouched ? "yes" : "no",
        [liveHeaders.until]: String(expiryOf(c.var.caller, now() / 1000)),
        ...(c.var.caller.kind === "user"
          ? { [liveHeaders.tokenIssuedAt]: String(c.var.caller.issuedAt) }
          : {}),
      });
      const answer = await services.recommendation.fetch(new Request(c.req.url, { headers }));
      if (answer.status === 429)
        throwRefusal(
          "rate_limited",
          "The user has the maximum number of live connections; close one, or try again later.",
          {
            retryAfter: 60,
          },
        );
      if (answer.status === 401) throwRefusal("unauthorized", endedTokenText);
      if (!answer.webSocket) return new Response(answer.body, answer);
      const protocol = negotiatedSubprotocol(c.req.raw.headers);
      return new Response(null, {
        status: 101,
        webSocket: answer.webSocket,
        headers: protocol === null ? {} : { "sec-websocket-protocol": protocol },
      });
    },
  );
}
