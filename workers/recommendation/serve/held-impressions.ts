/** How impressions are held. Times are in milliseconds. */
export interface HoldingRules {
  /** Number of impressions of a user that are sent at once, without a further delay. */
  maxHeld: number;
  /** Waits for a time. */
  wait(ms: number): Promise<void>;
  /** Returns the present time. */
  now(): number;
}

/** A call that has not sent its impressions after this many delays has ended without sending them. */
const maxDelays = 10;

/**
 * Impressions that wait to be sent, by user: those of a short time leave in one call. The call that holds the first one
 * sends all, since a request can use only what it has opened itself.
 */
export class HeldImpressions<T> {
  readonly #rules: HoldingRules;
  readonly #held = new Map<string, { since: number; list: T[] }>();

  constructor(rules: HoldingRules) {
    this.#rules = rules;
  }

  /**
   * Holds an impression of the user `key`, the first one for `delay` milliseconds. Resolves when `send` has sent all that
   * is held of the user, or at once if an earlier call sends them.
   */
  async hold(key: string, impression: T, delay: number, send: (list: T[]) => Promise<void>): Promise<void> {
    if (delay === 0) return send([impression]);
    const { maxHeld, wait, now } = this.#rules;
    const held = this.#held.get(key);
    if (held && now() - held.since <= maxDelays * delay) {
      held.list.push(impression);
      if (held.list.length >= maxHeld) await send(this.take(key));
      return;
    }
    const own = { since: now(), list: [...(held?.list ?? []), impression] };
    this.#held.set(key, own);
    await wait(delay);
    if (this.#held.get(key) === own) await send(this.take(key));
  }

  /** Returns what is held of a user, and holds it no more. The caller sends it. */
  take(key: string): T[] {
    const list = this.#held.get(key)?.list ?? [];
    this.#held.delete(key);
    return list;
  }
}
