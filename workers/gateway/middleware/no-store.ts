import type { MiddlewareHandler } from "hono";

/** Sets `cache-control: no-store` on responses whose route sets no other: answers are for one caller alone. */
export const noStore: MiddlewareHandler = async (c, next) => {
  await next();
  if (!c.res.headers.has("cache-control")) c.res.headers.set("cache-control", "no-store");
};
