import { type Columns, categoryOf } from "./columns.ts";
import { columnWidth, countOffset, wholeShare } from "./layout.ts";

const countsWidth = columnWidth.counts;
const hoursWidth = columnWidth.hours;
const peopleOffset = countOffset.people;

/** Smoothing of {@link CategoryHours.lift}, in people per hour. */
const liftPrior = 0.1;

/** People who chose products of one category: by local hour of the choice, and in all. */
interface HourCounts {
  byHour: Float64Array;
  people: number;
}

/** Counts the people who choose each category, by local hour. */
export class CategoryHours {
  readonly #hours = new Map<string, HourCounts>();

  /** Adds a product. One that nobody has chosen adds its category only. */
  add(block: Columns, row: number): void {
    const hours = this.#hoursOf(categoryOf(block, row));
    const people = block.counts[row * countsWidth + peopleOffset];
    if (people === 0) return;
    hours.people += people;
    const { byHour } = hours;
    const scale = people / wholeShare;
    const start = row * hoursWidth;
    for (let h = 0; h < hoursWidth; h++) byHour[h] += scale * block.hours[start + h];
  }

  /** Adds the counts of another instance. */
  addAll(other: CategoryHours): void {
    for (const [name, { byHour, people }] of other.#hours) {
      const hours = this.#hoursOf(name);
      hours.people += people;
      for (let h = 0; h < hoursWidth; h++) hours.byHour[h] += byHour[h];
    }
  }

  #hoursOf(name: string): HourCounts {
    let hours = this.#hours.get(name);
    if (!hours) {
      hours = { byHour: new Float64Array(hoursWidth), people: 0 };
      this.#hours.set(name, hours);
    }
    return hours;
  }

  /** Names of the categories of all products added. */
  get categories(): IterableIterator<string> {
    return this.#hours.keys();
  }

  /** Returns the people who chose products of each category by local hour, in the order of {@link categories}. */
  get peopleByHour(): readonly Float64Array[] {
    return [...this.#hours.values()].map(({ byHour }) => byHour);
  }

  /**
   * Returns how much more often people choose a category at a local hour than at a uniformly drawn one: the logarithm
   * of the ratio, over the hour and the hours before and after it, smoothed by {@link liftPrior}; 0 for an unknown category.
   */
  lift(name: string, hour: number): number {
    const hours = this.#hours.get(name);
    if (!hours) return 0;
    const { byHour, people } = hours;
    const now = (byHour[(hour + 23) % 24] + byHour[hour] + byHour[(hour + 1) % 24]) / 3;
    return Math.log((now + liftPrior) / (people / 24 + liftPrior));
  }
}
