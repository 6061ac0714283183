import type { MiddlewareHandler } from "hono";
import type { GatewayContext } from "../context.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";
import type { Caller } from "../keys/caller.ts";

/** Requests that one key, or one person by their tokens, may make in `seconds`; wrangler.toml says the same. */
export const ratePolicy = { requests: 1000, seconds: 10 };

/** Counts a use of a key; the platform's rate limit binding is one. It counts in each of its locations by itself. */
export interface RateLimiter {
  limit(options: { key: string }): Promise<{ success: boolean }>;
}

/** By what a caller is counted; null for development keys, which are not. */
function rateLimitBucketOf(caller: Caller): { policy: "key" | "person"; key: string } | null {
  if (caller.kind === "person")
    return { policy: "person", key: `${caller.application}/person/${caller.userId}` };
  return caller.development ? null : { policy: "key", key: `${caller.application}/key/${caller.keyId}` };
}

/**
 * 429 beyond the policy, and on every answer to a caller who is limited the headers of
 * draft-ietf-httpapi-ratelimit-headers-11. Its `RateLimit` must say how many requests remain. The platform tells only that
 * none does, so it is there on a 429 alone, while `RateLimit-Policy` is always: what is not known is not claimed.
 * `t`, and `Retry-After` like it, is the whole window, the longest that a wait can be.
 */
export const limitRate =
  (limiter: RateLimiter): MiddlewareHandler<GatewayContext> =>
  async (c, next) => {
    const bucket = rateLimitBucketOf(c.var.caller);
    if (bucket === null) return next();
    const { success } = await limiter.limit({ key: bucket.key });
    const { requests, seconds } = ratePolicy;
    c.set("rateLimitHeaders", {
      "ratelimit-policy": `"${bucket.policy}";q=${requests};w=${seconds}`,
      ...(success ? {} : { ratelimit: `"${bucket.policy}";r=0;t=${seconds}` }),
    });
    if (!success)
      throwRefusal("rate_limited", `More than ${requests} requests in ${seconds} s.`, {
        retryAfter: seconds,
      });
    await next();
  };
