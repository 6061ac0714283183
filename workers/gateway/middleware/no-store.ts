import type { MiddlewareHandler } from "hono";

/** Answers of the API are for whoever asked: no cache keeps them unless a route says otherwise. */
export const noStore: MiddlewareHandler = async (c, next) => {
  await next();
  if (!c.res.headers.has("cache-control")) c.res.headers.set("cache-control", "no-store");
};
