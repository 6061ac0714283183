import type { Requester } from "../../../shared/contracts/requester.ts";
import type { CountingSettings } from "../../../shared/counting/counting-settings.ts";
import { hourSeconds } from "../../../shared/time/seconds.ts";
import type { SessionStore } from "../store/session-store.ts";
import type { OpenWindows } from "./open-windows.ts";

/** Name of the stored count in the table `meta`. */
const countName = "hourlyImpressions";

/**
 * Number of impressions that a stored count may lack. A smaller one costs more rows written, a larger one lets a user
 * exceed the limit by more.
 */
const maxMissing = 20;

/** The impressions of an hour, as the table `meta` holds them. */
interface StoredCount {
  /** The UTC hour, in hours since the epoch. */
  hour: number;
  stored: number;
}

/**
 * Counts the impressions of a user that were stored in the present UTC hour. Each open click window holds the count that
 * it was stored with, so that an object that wakes up finds the count without a row of its own. Once no window is open,
 * the count is stored if it has grown by {@link maxMissing}. So an object that wakes up then lacks fewer than that.
 */
export class HourlyImpressions {
  readonly #store: Pick<SessionStore, "hasTables" | "getMeta" | "setMeta">;
  readonly #open: Pick<OpenWindows, "all">;
  /** Hours since the epoch; null until the count is read. */
  #hour: number | null = null;
  #stored = 0;

  constructor(
    store: Pick<SessionStore, "hasTables" | "getMeta" | "setMeta">,
    open: Pick<OpenWindows, "all">,
  ) {
    this.#store = store;
    this.#open = open;
  }

  /** Returns whether an impression may be stored at `now`, in seconds since the epoch, after `more` others. */
  isBelowLimit(
    now: number,
    more: number,
    { isVouched }: Pick<Requester, "isVouched">,
    settings: Pick<CountingSettings, "hourlyImpressions" | "hourlyImpressionsUnvouched">,
  ): boolean {
    const limit = isVouched ? settings.hourlyImpressions : settings.hourlyImpressionsUnvouched;
    return this.storedAt(now) + more < limit;
  }

  /** Counts impressions that were stored at `now`, in seconds since the epoch. */
  added(now: number, count: number): void {
    this.#stored = this.storedAt(now) + count;
  }

  /** Returns the number of impressions that were stored in the hour of `now`, in seconds since the epoch. */
  storedAt(now: number): number {
    const hour = Math.floor(now / hourSeconds);
    if (hour === this.#hour) return this.#stored;
    // An object that was awake in the hour before has stored nothing in this one yet.
    this.#stored = this.#hour !== null ? 0 : this.#readCount(hour);
    this.#hour = hour;
    return this.#stored;
  }

  /** Stores the count, because no open click window holds it any more. `now` is in seconds since the epoch. */
  windowsClosed(now: number): void {
    const stored = this.storedAt(now);
    const hour = Math.floor(now / hourSeconds);
    if (stored - this.#storedCount(hour) < maxMissing) return;
    this.#store.setMeta(countName, JSON.stringify({ hour, stored } satisfies StoredCount));
  }

  #storedCount(hour: number): number {
    const text = this.#store.hasTables() ? this.#store.getMeta(countName) : null;
    const count: StoredCount = JSON.parse(text ?? '{"hour":0,"stored":0}');
    return count.hour === hour ? count.stored : 0;
  }

  #readCount(hour: number): number {
    const ofHour = this.#open.all().filter(({ time }) => Math.floor(time / hourSeconds) === hour);
    // Windows of an earlier version, and those of a merged user, hold no count.
    return Math.max(ofHour.length, this.#storedCount(hour), ...ofHour.map(({ inHour }) => inHour));
  }
}
