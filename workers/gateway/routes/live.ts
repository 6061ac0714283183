import { createRoute } from "@hono/zod-openapi";
import { liveHeaders } from "../../../shared/contracts/live.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import { upgradeRequiredResponse } from "../errors/problem-response.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";
import type { Caller } from "../keys/caller.ts";
import { negotiatedSubprotocol } from "../keys/credential.ts";
import { requireAllowedOrigin } from "../middleware/cross-origin.ts";
import { type GuardRoute, idPath, noQuery, problemResponses } from "../openapi/operation.ts";

/** Seconds that a WebSocket of a key lives; whoever listens on opens another. */
const maxConnectionSeconds = 900;

/** A WebSocket ends with the token that opened it; one of a key soon enough for a revoked key. */
const expiryOf = (caller: Caller, now: number): number =>
  caller.kind === "person"
    ? Math.min(caller.expiresAt, now + maxConnectionSeconds)
    : now + maxConnectionSeconds;

/** A person's WebSocket: fresh recommendations whenever they move or act. */
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
      summary: "Fresh recommendations as they change (WebSocket)",
      description:
        "Admin, client, or the person's own token, as subprotocol: `new WebSocket(url, ['vicinity', token])`. " +
        "It ends with its token, after a quarter of an hour at the latest (close code 1008): open another. A person has at most 8.",
      tags: ["Recommendations"],
      security,
      middleware: [...middleware, requireAllowedOrigin(settings.allowedOrigins)],
      request: { params: idPath, query: noQuery },
      responses: {
        101: { description: "Connected." },
        426: { description: "Not an upgrade request." },
        ...problemResponses,
      },
    }),
    async (c) => {
      if (c.req.header("upgrade")?.toLowerCase() !== "websocket") return upgradeRequiredResponse(c);
      const headers = new Headers({
        upgrade: "websocket",
        [liveHeaders.application]: c.var.caller.application,
        [liveHeaders.userId]: c.req.valid("param").id,
        [liveHeaders.until]: String(expiryOf(c.var.caller, now() / 1000)),
      });
      const answer = await services.recommendation.fetch(new Request(c.req.url, { headers }));
      if (answer.status === 429)
        throwRefusal("rate_limited", "This person has as many live connections as they may have.", {
          retryAfter: 60,
        });
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
