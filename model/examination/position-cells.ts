import { isEngagement, type LoggedExample } from "../recalibrate/logged-examples.ts";
import { rangeCount, rangeOf } from "./position-ranges.ts";

/** First lengths of the classes of lists whose products of one rank attract alike. */
const lengthStarts = [1, 6, 11, 21] as const;
const pairs = rangeCount * rangeCount;
/** Groups of products that attract alike, wherever they are shown: a class of lengths and a range of ranks. */
export const groupCount = lengthStarts.length * rangeCount;
/** Numbers of {@link PositionCells.numbers}. */
export const cellNumbers = 2 * lengthStarts.length * pairs + 1;

/** Returns the class of a list by its number of products. */
function lengthClassOf(length: number): number {
  let found = lengthStarts.length - 1;
  while (found > 0 && lengthStarts[found] > length) found--;
  return found;
}

/** The parts of an example that {@link PositionCells} counts. */
type ShownExample = Pick<LoggedExample, "weight" | "rankTemperature"> & {
  rows: readonly Pick<LoggedExample["rows"][number], "position" | "rank" | "outcome" | "represents">[];
};

/**
 * Counts of products shown and of engagements, by the length of the list, the rank and the position. In lists in the order
 * of their ranking, rank and position are equal. In lists whose order was drawn they differ, by nothing but chance: the
 * same ranks at other positions tell how often positions are looked at (interventions: Joachims, Swaminathan and Schnabel,
 * WSDM 2017; Agarwal and others, WSDM 2019). Lists in both orders are of the same users, so both tell how much a rank attracts.
 */
export class PositionCells {
  /** Products shown, by class of lengths, range of ranks and range of positions; engagements in the same order; lists drawn. */
  readonly numbers: Float64Array<ArrayBuffer>;

  constructor(numbers: Float64Array<ArrayBuffer> = new Float64Array(cellNumbers)) {
    this.numbers = numbers;
  }

  /** Adds an example of the first page of a list. Examples without ranks, and later pages, tell nothing and are left out. */
  add({ rows, weight, rankTemperature }: ShownExample): void {
    const shown = rows.filter(({ position }) => position > 0);
    const isFirstPage = shown.some(({ position }) => position === 1);
    if (!isFirstPage || shown.some(({ rank = 0 }) => rank === 0)) return;
    const length = shown.reduce((max, { position }) => Math.max(max, position), 0);
    const start = lengthClassOf(length) * pairs;
    const half = this.numbers.length >> 1;
    for (const { rank = 0, position, outcome, represents = 1 } of shown) {
      const cell = start + rangeOf(rank) * rangeCount + rangeOf(position);
      this.numbers[cell] += weight * represents;
      if (isEngagement(outcome)) this.numbers[half + cell] += weight * represents;
    }
    if (rankTemperature !== undefined) this.numbers[cellNumbers - 1]++;
  }

  /** Number of lists whose order was drawn. */
  get drawnLists(): number {
    return this.numbers[cellNumbers - 1];
  }

  /** Returns products shown and engagements of a group, by range of positions. */
  group(index: number): { shown: Float64Array; engaged: Float64Array } {
    const start = index * rangeCount;
    const half = this.numbers.length >> 1;
    return {
      shown: this.numbers.subarray(start, start + rangeCount),
      engaged: this.numbers.subarray(half + start, half + start + rangeCount),
    };
  }
}
