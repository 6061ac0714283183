import type { MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import type { Stage } from "../../../shared/contracts/recommendation.ts";
import type { GatewayContext, RequestFigures } from "../context.ts";
import type { RequestMeter } from "../metering/request-meter.ts";

const safeRequestId = /^[A-Za-z0-9._-]{1,64}$/;

/**
 * Returns the `server-timing` header, in milliseconds: each stage of a recommendation, then the gateway's total. A stage that
 * computes says so, since the clock of Cloudflare stands still meanwhile.
 */
const serverTiming = (stages: Stage[], totalMs: number): string =>
  [...stages, { name: "gateway", ms: totalMs, kind: "waiting", skipped: undefined }]
    .map(({ name, ms, kind, skipped }) => {
      const token = name.replace(/[^\w-]/g, "-");
      if (skipped !== undefined) return `${token};desc="skipped"`;
      return `${token};${kind === "computing" ? 'desc="computing";' : ""}dur=${ms.toFixed(1)}`;
    })
    .join(", ");

/**
 * Gives each request an id, sets the response headers `x-request-id` and `server-timing`, and records the data point.
 * A client's own `x-request-id` is kept where it matches `safeRequestId`. Runs before all other middleware.
 */
export const measureRequest =
  (meter: RequestMeter, now: () => number): MiddlewareHandler<GatewayContext> =>
  async (c, next) => {
    const started = now();
    const clientRequestId = c.req.header("x-request-id") ?? "";
    const requestId = safeRequestId.test(clientRequestId) ? clientRequestId : crypto.randomUUID();
    const figures: RequestFigures = { modelVersion: "", candidates: 0, stages: [], code: "" };
    c.set("requestId", requestId);
    c.set("figures", figures);
    await next();
    const latencyMs = now() - started;
    c.res.headers.set("x-request-id", requestId);
    c.res.headers.set("server-timing", serverTiming(figures.stages, latencyMs));
    for (const [name, value] of Object.entries(c.var.rateLimitHeaders ?? {})) c.res.headers.set(name, value);
    meter.record({
      requestId,
      method: c.req.method,
      route: matchedRoutes(c).findLast(({ method }) => method !== "ALL")?.path ?? "",
      status: c.res.status,
      code: figures.code,
      application: c.var.caller?.application ?? "",
      latencyMs,
      modelVersion: figures.modelVersion,
      candidates: figures.candidates,
      fallback: figures.stages
        .filter(({ skipped }) => skipped !== undefined)
        .map(({ name }) => name)
        .join(","),
    });
  };
