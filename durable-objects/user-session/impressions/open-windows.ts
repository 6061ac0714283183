import type { OpenWindow, ReceiptStore } from "../store/receipt-store.ts";

/** The open click windows of a user, which an object reads once when it wakes up. */
export class OpenWindows {
  readonly #receipts: Pick<ReceiptStore, "openWindows">;
  /** By id of the recommendation; null until they are read. */
  #windows: Map<string, OpenWindow> | null = null;

  constructor(receipts: Pick<ReceiptStore, "openWindows">) {
    this.#receipts = receipts;
  }

  /** Drops what was read, after receipts were added or removed by others. */
  invalidate(): void {
    this.#windows = null;
  }

  get #all(): Map<string, OpenWindow> {
    this.#windows ??= new Map(this.#receipts.openWindows().map((each) => [each.id, each]));
    return this.#windows;
  }

  /** Returns all open windows, in no order. */
  all(): OpenWindow[] {
    return [...this.#all.values()];
  }

  /** Adds a window that was stored. */
  add(window: OpenWindow): void {
    this.#all.set(window.id, window);
  }

  /** Removes a window that was closed. */
  remove(id: string): void {
    this.#all.delete(id);
  }

  /** Returns the time of the oldest impression, in seconds since the epoch; null if no window is open. */
  get oldest(): number | null {
    let oldest = Number.POSITIVE_INFINITY;
    for (const { time } of this.#all.values()) oldest = Math.min(oldest, time);
    return oldest === Number.POSITIVE_INFINITY ? null : oldest;
  }

  /** Returns windows of impressions from before `before` (seconds since the epoch), at most `limit`, oldest first. */
  before(before: number, limit: number): OpenWindow[] {
    return this.all()
      .filter(({ time }) => time < before)
      .sort((a, b) => a.time - b.time)
      .slice(0, limit);
  }
}
