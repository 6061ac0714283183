import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";

/** Any page may call: what opens the API is the credential, and no cookie is ever read. */
export const crossOrigin: MiddlewareHandler = cors({
  origin: "*",
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
