import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import type { GatewayContext } from "../context.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";

/** Pages that may read answers: any, or those of the origins listed. */
export type AllowedOrigins = "*" | readonly string[];

/**
 * CORS. What opens the API is the credential, and no cookie is ever read, so that any page may call unless the
 * deployment lists those that may.
 */
export const crossOrigin = (origins: AllowedOrigins): MiddlewareHandler =>
  cors({
    origin: origins === "*" ? origins : [...origins],
    allowMethods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    allowHeaders: ["authorization", "content-type", "if-none-match", "x-request-id"],
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

/** 403 for a page of an origin that is not listed. For WebSockets, which CORS does not cover; own pages may. */
export const requireAllowedOrigin =
  (origins: AllowedOrigins): MiddlewareHandler<GatewayContext> =>
  async (c, next) => {
    const origin = c.req.header("origin");
    if (origins !== "*" && origin !== undefined)
      if (origin !== new URL(c.req.url).origin && !origins.includes(origin))
        throwRefusal("forbidden", "Pages of this origin may not connect.");
    await next();
  };
