import type { MiddlewareHandler } from "hono";
import type { GatewayContext } from "../context.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";
import { limitedAddressOf, limitedNetworkOf } from "../request/client-network.ts";
import type { RateLimiter } from "./rate-limit.ts";

/** Requests that one client address may make in `seconds`. `wrangler.toml` configures the same figures. */
export const addressPolicy = { requests: 2000, seconds: 10 };
/** Anonymous sessions that one client address may start in `seconds`. `wrangler.toml` configures the same figures. */
export const sessionPolicy = { requests: 30, seconds: 60 };
/**
 * Anonymous sessions that one client network (/24 or /48) may start in `seconds`, since one client may have all addresses
 * of a network. `wrangler.toml` configures the same figures.
 */
export const networkSessionPolicy = { requests: 600, seconds: 60 };

/** Answers 429 to a client address above the limit, before the credential is looked at. */
export const limitAddress =
  (limiter: RateLimiter): MiddlewareHandler<GatewayContext> =>
  async (c, next) => {
    const address = limitedAddressOf(c.req.raw);
    const { requests, seconds } = addressPolicy;
    if (address !== null && !(await limiter.limit({ key: address })).success)
      throwRefusal(
        "rate_limited",
        `One address may make ${requests} requests in ${seconds} s; wait before the next one.`,
        { retryAfter: seconds },
      );
    await next();
  };

/** Counts the anonymous sessions that are started: by client address, and by client network. */
export interface SessionLimiters {
  address: RateLimiter;
  network: RateLimiter;
}

/** Answers 429 to a client address or network that started too many sessions of an application with publishable keys. */
export const limitSessions =
  (limiters: SessionLimiters): MiddlewareHandler<GatewayContext> =>
  async (c, next) => {
    const { kind, application } = c.var.caller;
    const buckets = [
      { of: "address", name: limitedAddressOf(c.req.raw), limiter: limiters.address, policy: sessionPolicy },
      {
        of: "network",
        name: limitedNetworkOf(c.req.raw),
        limiter: limiters.network,
        policy: networkSessionPolicy,
      },
    ];
    if (kind === "publishable")
      for (const { of, name, limiter, policy } of buckets)
        if (name !== null && !(await limiter.limit({ key: `${application}/${name}` })).success)
          throwRefusal(
            "rate_limited",
            `One ${of} may start ${policy.requests} sessions in ${policy.seconds} s; wait before the next one.`,
            { retryAfter: policy.seconds },
          );
    await next();
  };
