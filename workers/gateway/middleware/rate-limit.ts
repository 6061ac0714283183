import type { MiddlewareHandler } from "hono";
import type { GatewayContext } from "../context.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";
import type { Caller } from "../keys/caller.ts";
import { clientAddressOf } from "../request/client-network.ts";

/**
 * Requests that one key, or all tokens of one user, may make in `seconds`; of a publishable key, each client address.
 * `wrangler.toml` configures the same figures.
 */
export const ratePolicy = { requests: 1000, seconds: 10 };

/**
 * Requests that the secret keys of one application may make in `seconds`, and as many for its publishable keys and users,
 * so that no application takes what others need. `wrangler.toml` configures the same figures.
 */
export const applicationPolicy = { requests: 20_000, seconds: 10 };

/** Counts a request under `key`, as a rate limit binding does: each Cloudflare location counts separately. */
export interface RateLimiter {
  limit(options: { key: string }): Promise<{ success: boolean }>;
}

/**
 * Returns the policy and the key under which a caller's requests are counted; null for development keys, which have no
 * limit. All visitors of a page share its publishable key, so each client address is counted by itself.
 */
export function rateLimitBucketOf(
  caller: Caller,
  headers: Headers,
): { policy: "key" | "person"; key: string } | null {
  // `person` is part of the public headers and of the counter's key.
  if (caller.kind === "user")
    return { policy: "person", key: `${caller.application}/person/${encodeURIComponent(caller.userId)}` };
  if (caller.development) return null;
  const key = `${caller.application}/key/${caller.keyId}`;
  return { policy: "key", key: caller.kind === "publishable" ? `${key}/${clientAddressOf(headers)}` : key };
}

/**
 * Answers 429 to a caller above the rate limit, and sets the headers of draft-ietf-httpapi-ratelimit-headers-11.
 * `RateLimit-Policy` is on every response to a limited caller. `RateLimit` must state the remaining requests, which the
 * binding reports only when none remain, so it is on a 429 alone. Its `t` and `Retry-After` are the whole period, the
 * longest possible wait.
 */
export const limitRate =
  (limiter: RateLimiter): MiddlewareHandler<GatewayContext> =>
  async (c, next) => {
    const bucket = rateLimitBucketOf(c.var.caller, c.req.raw.headers);
    if (bucket === null) return next();
    const { success } = await limiter.limit({ key: bucket.key });
    const { requests, seconds } = ratePolicy;
    c.set("rateLimitHeaders", {
      "ratelimit-policy": `"${bucket.policy}";q=${requests};w=${seconds}`,
      ...(success ? {} : { ratelimit: `"${bucket.policy}";r=0;t=${seconds}` }),
    });
    if (!success)
      throwRefusal(
        "rate_limited",
        `This credential may make ${requests} requests in ${seconds} s; wait before the next one.`,
        {
          retryAfter: seconds,
        },
      );
    await next();
  };

/**
 * Counts `count` more requests of a caller, for a request that does the work of several. Refuses with `rate_limited` if they
 * are above the limit of the credential or of the application. Development keys have no limit.
 */
export async function countMoreRequests(
  { limiter, applicationLimiter }: { limiter: RateLimiter; applicationLimiter: RateLimiter },
  caller: Caller,
  headers: Headers,
  count: number,
): Promise<void> {
  const bucket = rateLimitBucketOf(caller, headers);
  if (bucket === null) return;
  const { key: application } = applicationBucketOf(caller);
  for (let i = 0; i < count; i++) {
    const counted = await Promise.all([
      limiter.limit({ key: bucket.key }),
      applicationLimiter.limit({ key: application }),
    ]);
    if (!counted.every(({ success }) => success))
      throwRefusal(
        "rate_limited",
        `Each of the ${count + 1} users counts as a request, and they are above the limit; wait before the next ones.`,
        { retryAfter: ratePolicy.seconds },
      );
  }
}

/**
 * Returns the key under which an application's requests are counted, and whom it counts. Everybody can send requests with
 * a publishable key, and get tokens: they never use up what the application's server and admin keys may send.
 */
const applicationBucketOf = ({ kind, application }: Caller): { key: string; callers: string } =>
  kind === "publishable" || kind === "user"
    ? { key: `${application}/public`, callers: "publishable keys and users" }
    : { key: application, callers: "server and admin keys" };

/** Answers 429 to the callers of an application above its limit. Development keys have no limit. */
export const limitApplication =
  (limiter: RateLimiter): MiddlewareHandler<GatewayContext> =>
  async (c, next) => {
    const { caller } = c.var;
    if (caller.kind !== "user" && caller.development) return next();
    const { key, callers } = applicationBucketOf(caller);
    const { success } = await limiter.limit({ key });
    const { requests, seconds } = applicationPolicy;
    if (!success) {
      c.set("rateLimitHeaders", {
        ...c.var.rateLimitHeaders,
        ratelimit: `"application";r=0;t=${seconds}`,
      });
      throwRefusal(
        "rate_limited",
        `The ${callers} of the application together may make ${requests} requests in ${seconds} s; wait before the next one.`,
        { retryAfter: seconds },
      );
    }
    await next();
  };
