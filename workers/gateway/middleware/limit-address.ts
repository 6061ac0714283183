import type { MiddlewareHandler } from "hono";
import type { GatewayContext } from "../context.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";
import { limitedAddressOf } from "../request/client-network.ts";
import type { RateLimiter } from "./rate-limit.ts";

/** Requests that one client address may make in `seconds`. `wrangler.toml` configures the same figures. */
export const addressPolicy = { requests: 2000, seconds: 10 };
/** Anonymous sessions that one client address may start in `seconds`. `wrangler.toml` configures the same figures. */
export const sessionPolicy = { requests: 30, seconds: 60 };

/** Answers 429 to a client address above the limit, before the credential is looked at. */
export const limitAddress =
  (limiter: RateLimiter): MiddlewareHandler<GatewayContext> =>
  async (c, next) => {
    const address = limitedAddressOf(c.req.raw.headers);
    const { requests, seconds } = addressPolicy;
    if (address !== null && !(await limiter.limit({ key: address })).success)
      throwRefusal(
        "rate_limited",
        `One address may make ${requests} requests in ${seconds} s; wait before the next one.`,
        { retryAfter: seconds },
      );
    await next();
  };

/** Answers 429 to a client address that started too many sessions of an application with publishable keys. */
export const limitSessions =
  (limiter: RateLimiter): MiddlewareHandler<GatewayContext> =>
  async (c, next) => {
    const { kind, application } = c.var.caller;
    const address = limitedAddressOf(c.req.raw.headers);
    const { requests, seconds } = sessionPolicy;
    if (kind === "publishable" && address !== null)
      if (!(await limiter.limit({ key: `${application}/${address}` })).success)
        throwRefusal(
          "rate_limited",
          `One address may start ${requests} sessions in ${seconds} s; wait before the next one.`,
          { retryAfter: seconds },
        );
    await next();
  };
