import type { RateLimiter } from "../middleware/rate-limit.ts";

/** Returns a limiter that allows each key a number of uses; `counts` has the uses by key. */
export function countingLimiter(uses: number): RateLimiter & { counts: Map<string, number> } {
  const counts = new Map<string, number>();
  const limit = async ({ key }: { key: string }) => {
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    return { success: count <= uses };
  };
  return { counts, limit };
}
