import type { MiddlewareHandler } from "hono";
import type { GatewayContext } from "../context.ts";
import type { Caller } from "../keys/caller.ts";
import { deny } from "../refused.ts";

/** Requests that one key, or one person's token, may make in `seconds`; wrangler.toml says the same. */
export const ratePolicy = { requests: 1000, seconds: 10 };

/** Counts a use of a key; the platform's rate limit binding is one. */
export interface RateLimiter {
  limit(options: { key: string }): Promise<{ success: boolean }>;
}

const meterKey = (caller: Caller): string =>
  caller.kind === "person"
    ? `${caller.application}/person/${caller.userId}`
    : `${caller.application}/key/${caller.keyId}`;

/** 429 beyond the policy, with the standard headers. Development keys are not counted. */
export const limitRate =
  (limiter: RateLimiter): MiddlewareHandler<GatewayContext> =>
  async (c, next) => {
    const { caller } = c.var;
    if (caller.kind !== "person" && caller.development) return next();
    const { success } = await limiter.limit({ key: meterKey(caller) });
    const { requests, seconds } = ratePolicy;
    c.set("quota", {
      "ratelimit-policy": `"key";q=${requests};w=${seconds}`,
      // How much is left the platform does not tell; that nothing is, it does.
      ...(success ? {} : { ratelimit: `"key";r=0;t=${seconds}` }),
    });
    if (!success)
      deny("rate_limited", `More than ${requests} requests in ${seconds} s.`, { retryAfter: seconds });
    await next();
  };
