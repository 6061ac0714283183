import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import type { GatewayContext } from "../context.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";

/** Origins whose pages may call the API: all (`*`), or those listed. */
export type AllowedOrigins = "*" | readonly string[];

/**
 * Answers CORS requests. Credentials travel in a header and the API reads no cookies, so any origin is safe; a
 * deployment may still list the origins that it allows.
 */
export const crossOrigin = (origins: AllowedOrigins): MiddlewareHandler =>
  cors({
    origin: origins === "*" ? origins : [...origins],
    allowMethods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    allowHeaders: ["authorization", "content-encoding", "content-type", "if-none-match", "x-request-id"],
    exposeHeaders: [
      "etag",
      "location",
      "ratelimit",
      "ratelimit-policy",
      "retry-after",
      "server-timing",
      "x-request-id",
    ],
    maxAge: 86_400,
  });

/**
 * Answers 403 for a page of an origin that is not allowed. WebSockets need it, since CORS does not cover them. The
 * gateway's own pages are always allowed.
 */
export const requireAllowedOrigin =
  (origins: AllowedOrigins): MiddlewareHandler<GatewayContext> =>
  async (c, next) => {
    const origin = c.req.header("origin");
    if (origins !== "*" && origin !== undefined)
      if (origin !== new URL(c.req.url).origin && !origins.includes(origin))
        throwRefusal(
          "forbidden",
          "Pages of this origin may not connect; the deployment must list it in CORS_ORIGINS.",
        );
    await next();
  };
