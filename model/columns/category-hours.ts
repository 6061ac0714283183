import type { Columns } from "./columns.ts";

/** People of one category by local hour of what they chose, and in all. */
interface Hours {
  byHour: Float64Array;
  people: number;
}

/** When everyone around chooses what: people by category and local hour. */
export class CategoryHours {
  readonly #hours = new Map<number, Hours>();

  /** Counts a product in; one that nobody has chosen says nothing of hours. */
  add(block: Columns, row: number): void {
    const hours = this.#of(block.categoryHash[row]);
    const people = block.counts[row * 6 + 5];
    if (people === 0) return;
    hours.people += people;
    for (let h = 0; h < 24; h++) hours.byHour[h] += (people * block.hours[row * 24 + h]) / 255;
  }

  /** Counts in all that another has counted. */
  addAll(other: CategoryHours): void {
    for (const [hash, { byHour, people }] of other.#hours) {
      const hours = this.#of(hash);
      hours.people += people;
      for (let h = 0; h < 24; h++) hours.byHour[h] += byHour[h];
    }
  }

  #of(hash: number): Hours {
    let hours = this.#hours.get(hash);
    if (!hours) {
      hours = { byHour: new Float64Array(24), people: 0 };
      this.#hours.set(hash, hours);
    }
    return hours;
  }

  /** Hashes of the categories that were met. */
  get categories(): IterableIterator<number> {
    return this.#hours.keys();
  }

  /** People who chose something of a category at a local hour. */
  at(hash: number, hour: number): number {
    return this.#hours.get(hash)?.byHour[hour] ?? 0;
  }

  /**
   * How much a local hour speaks for a category: share of the hour and its neighbours against uniform, in log, smoothed
   * by a tenth of a person; 0 for a category of which nothing is known.
   */
  lift(hash: number, hour: number): number {
    const hours = this.#hours.get(hash);
    if (!hours) return 0;
    const { byHour, people } = hours;
    const now = (byHour[(hour + 23) % 24] + byHour[hour] + byHour[(hour + 1) % 24]) / 3;
    return Math.log((now + 0.1) / (people / 24 + 0.1));
  }
}
