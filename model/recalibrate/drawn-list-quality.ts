import { type Examination, examinedAt } from "../examination/examination.ts";
import { drawRanks } from "../experiments/rank-draw.ts";
import type { TrainingList } from "../features/batch.ts";
import { purchaseValue } from "../pipeline/final-scores.ts";
import { Random } from "../train/random.ts";
import type { LoggedExample } from "./logged-examples.ts";

/** Draws by which the looks at a rank are estimated: to about 2% for the usual lists. */
const draws = 4000;
const seed = 11;

/**
 * Returns how often users look at the items of a pool on average, relative to the first position, if the order of `count`
 * items on `positions` positions is drawn with a temperature: the examination of each position times the probability of
 * getting it, by the rank in the pool.
 */
export function expectedLooks(
  count: number,
  positions: number,
  temperature: number,
  examination: Pick<Examination, "examined">,
): Float64Array {
  const random = new Random(seed);
  const looks = new Float64Array(count);
  for (let n = 0; n < draws; n++) {
    const { order } = drawRanks(count, positions, temperature, () => random.next());
    for (let i = 0; i < Math.min(count, positions); i++)
      looks[order[i]] += examinedAt(examination, i + 1) / draws;
  }
  return looks;
}

/** A list whose order was drawn: the products that it might have shown, and what their outcomes were worth. */
export interface DrawnList {
  weight: number;
  /** Rows of the example, by rank. */
  rows: number[];
  /** Gain of each, divided by the looks that its rank gets on average. */
  gains: number[];
}

const discount = (position: number): number => (position <= 10 ? 1 / Math.log2(position + 1) : 0);

/** Returns drawn lists of examples; see {@link DrawnList}. It remembers the looks of each kind of pool. */
export class DrawnLists {
  readonly #examination: Pick<Examination, "examined">;
  readonly #looks = new Map<string, Float64Array>();

  constructor(examination: Pick<Examination, "examined">) {
    this.#examination = examination;
  }

  /** Returns the drawn list of an example; null if its order was not drawn, or if only a part of its products is kept. */
  of(
    { rows, rankTemperature, weight }: LoggedExample,
    list: Pick<TrainingList, "engage" | "purchase">,
  ): DrawnList | null {
    if (rankTemperature === undefined || rows.some(({ represents = 1 }) => represents > 1)) return null;
    const pool = rows
      .map(({ rank = 0 }, row) => ({ row, rank }))
      .filter(({ rank }) => rank > 0)
      .sort((a, b) => a.rank - b.rank);
    const positions = rows.filter(({ position }) => position > 0).length;
    const key = `${pool.length} ${positions} ${rankTemperature}`;
    const looks =
      this.#looks.get(key) ?? expectedLooks(pool.length, positions, rankTemperature, this.#examination);
    this.#looks.set(key, looks);
    return {
      weight,
      rows: pool.map(({ row }) => row),
      gains: pool.map(({ row }, i) =>
        rows[row].position > 0 ? (list.engage[row] + purchaseValue * list.purchase[row]) / looks[i] : 0,
      ),
    };
  }
}

/** Sums over drawn lists: of outcomes by the discount of their position in a model's order, and of all outcomes. */
export interface DrawnSums {
  discounted: number;
  outcomes: number;
  squares: number;
}

/** Adds a drawn list, in the order of a model's scores by row. */
export function addDrawnList(sums: DrawnSums, list: DrawnList, scores: ArrayLike<number>): void {
  const order = list.rows
    .map((_, i) => i)
    .sort((a, b) => scores[list.rows[b]] - scores[list.rows[a]] || a - b);
  order.forEach((i, at) => {
    const gain = list.weight * list.gains[i];
    sums.discounted += gain * discount(at + 1);
    sums.outcomes += gain;
    sums.squares += gain * gain;
  });
}

/**
 * Returns the discounted share of the outcomes that an order would get, 0 to 1: a self-normalized estimate by the
 * propensities of the drawn orders (Swaminathan and Joachims, NeurIPS 2015). The products that the serving model places
 * below the list take part. Null without outcomes.
 */
export const drawnQuality = ({ discounted, outcomes }: DrawnSums): number | null =>
  outcomes === 0 ? null : discounted / outcomes;

/** Returns Kish's effective number of outcomes. */
export const effectiveDrawnOutcomes = ({ outcomes, squares }: DrawnSums): number =>
  squares === 0 ? 0 : (outcomes * outcomes) / squares;
