import type { Requester } from "../../../shared/contracts/requester.ts";
import type { CountingSettings } from "../../../shared/counting/counting-settings.ts";
import { hourSeconds } from "../../../shared/time/seconds.ts";
import type { SessionStore } from "../store/session-store.ts";

/**
 * Counts the impressions of a user that were stored in the present UTC hour. The count is in memory, so that it costs
 * no row written; an object that wakes up counts the stored receipts of the hour.
 */
export class HourlyImpressions {
  readonly #store: SessionStore;
  /** Hours since the epoch; null until the receipts are counted. */
  #hour: number | null = null;
  #stored = 0;

  constructor(store: SessionStore) {
    this.#store = store;
  }

  /** Returns whether one more impression may be stored at `now`, in seconds since the epoch. */
  isBelowLimit(
    now: number,
    { isVouched }: Pick<Requester, "isVouched">,
    settings: Pick<CountingSettings, "hourlyImpressions" | "hourlyImpressionsUnvouched">,
  ): boolean {
    const limit = isVouched ? settings.hourlyImpressions : settings.hourlyImpressionsUnvouched;
    return this.#storedAt(now) < limit;
  }

  /** Counts an impression that was stored at `now`, in seconds since the epoch. */
  added(now: number): void {
    this.#stored = this.#storedAt(now) + 1;
  }

  #storedAt(now: number): number {
    const hour = Math.floor(now / hourSeconds);
    if (hour === this.#hour) return this.#stored;
    // An object that was awake in the hour before has stored nothing in this one yet.
    const isAwake = this.#hour !== null;
    this.#stored =
      isAwake || !this.#store.hasTables() ? 0 : this.#store.receipts.countSince(hour * hourSeconds);
    this.#hour = hour;
    return this.#stored;
  }
}
