import type { RateLimiter } from "../middleware/rate-limit.ts";
import { BoundedCache } from "./bounded-cache.ts";

/**
 * Unknown keys that one client address may present in `seconds`. Beyond that, no further unknown key of the address is
 * looked up. `wrangler.toml` configures the same figures.
 */
export const failurePolicy = { requests: 20, seconds: 60 };
/** Bounds the memory of an isolate. */
const maxAddresses = 10_000;

/** The look-ups of one key that are running. */
interface RunningLookups {
  count: number;
  /** When they are given up, in milliseconds since the Unix epoch. A canceled request never ends its look-up. */
  until: number;
}

interface AddressState {
  failures: number;
  /** When `failures` starts again at 0, in milliseconds since the Unix epoch. */
  until: number;
  /** By the key's hash. */
  running: Map<string, RunningLookups>;
}

/**
 * Bounds how often one address may cause a database read by a key that does not exist. An isolate counts by itself, and
 * the rate limit binding counts for all isolates of a Cloudflare location.
 */
export class FailedLookups {
  readonly #limiter: RateLimiter;
  readonly #now: () => number;
  readonly #addresses = new BoundedCache<AddressState>(maxAddresses);

  constructor(limiter: RateLimiter, now: () => number) {
    this.#limiter = limiter;
    this.#now = now;
  }

  #stateOf(address: string): AddressState {
    const now = this.#now();
    const found = this.#addresses.get(address);
    if (found && found.until > now) return found;
    const running = new Map([...(found?.running ?? [])].filter(([, { until }]) => until > now));
    const state = { failures: 0, until: now + failurePolicy.seconds * 1000, running };
    this.#addresses.set(address, state);
    return state;
  }

  /**
   * Returns whether a key that the isolate does not know may be looked up for an address. Each call that returns true is
   * followed by one of {@link end}. Running look-ups count, since they may fail; those of one key count once. `address`
   * is null for requests from this machine, which have no limit.
   */
  begin(address: string | null, hash: string): boolean {
    if (address === null) return true;
    const { failures, running } = this.#stateOf(address);
    if (!running.has(hash) && failures + running.size >= failurePolicy.requests) return false;
    running.set(hash, {
      count: (running.get(hash)?.count ?? 0) + 1,
      until: this.#now() + failurePolicy.seconds * 1000,
    });
    return true;
  }

  /** Ends a look-up. One that found no key counts as a failure of the address. */
  async end(address: string | null, hash: string, failed: boolean): Promise<void> {
    if (address === null) return;
    const state = this.#stateOf(address);
    const running = state.running.get(hash);
    if (running && running.count > 1) running.count--;
    else state.running.delete(hash);
    if (!failed) return;
    state.failures++;
    const { success } = await this.#limiter.limit({ key: address });
    if (!success) state.failures = Math.max(state.failures, failurePolicy.requests);
  }
}
