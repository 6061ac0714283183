import type { EventType } from "../../../shared/contracts/event.ts";
import {
  type Corrections,
  candidatesPerSampledRow,
  isSampled,
  type LoggedExample,
} from "../../recalibrate/logged-examples.ts";

/** A product of a logged list. */
export interface LoggedProduct {
  /** Row of the example, which is also the row of its features. */
  row: number;
  /** Position in the logged ranking, from 1; 0 for a product of the sample of the others. */
  rank: number;
  /** The position at which the logging policy may show it, from 1; 0 for a product of the sample. */
  position: number;
  isShown: boolean;
  /** Probability that the logging policy shows the product at its position. */
  propensity: number;
  /** Score of the model that served, and the score that ordered the list. */
  score: number;
  listScore: number;
  category: string;
  /** The squares that contain the product, as `Traits` of `model/rules/similarity.ts` has them. */
  squares: readonly number[];
  outcome: EventType | null;
}

/** A logged list: the products that the logging policy might have shown, and a sample of the others. */
export interface ListInPlay {
  pseudonym: string;
  /** Lists that this one represents. */
  weight: number;
  /** Products that the list shows. */
  length: number;
  /** By rank. */
  inPlay: LoggedProduct[];
  sampled: LoggedProduct[];
  /** Ranked candidates that each product of the sample represents. */
  represented: number;
}

/** Why a logged list cannot be evaluated; see {@link listInPlay}. */
export type UnusableList =
  | "earlier version"
  | "drawn order"
  | "later page"
  | "incomplete"
  | "not ordered by score";

/** Largest error of the sum of the propensities of a list, by rounding. */
const tolerance = 1e-6;

/**
 * Returns a logged list; else why it cannot be evaluated. `earlier version`: the log does not say which products might have
 * been shown. `drawn order`: chance decided all positions, so that products have no position of their own. `later page`: other pages of the list came before. `incomplete`: some products are missing, as the
 * propensities show, which do not add up to the length of the list. `not ordered by score`: the request had a diversity or
 * other rules, which the log does not have.
 */
export function listInPlay(example: LoggedExample, corrections: Corrections): ListInPlay | UnusableList {
  const { rows, weight, pseudonym } = example;
  if (rows.some(({ rank, listScore }) => rank === undefined || listScore === undefined))
    return "earlier version";
  if (example.rankTemperature !== undefined) return "drawn order";
  const length = rows.reduce((max, { position }) => Math.max(max, position), 0);
  const products = rows.map((each, row): LoggedProduct => {
    const { rank = 0, listScore = each.score, position, squares = [] } = each;
    return {
      row,
      rank,
      position: rank === 0 ? 0 : position || length,
      isShown: position > 0,
      propensity: each.propensity,
      score: each.score,
      listScore,
      category: each.category ?? "",
      squares,
      outcome: corrections.outcomeOf(example.id, each.product, each.outcome),
    };
  });
  const inPlay = products.filter((_, i) => !isSampled(rows[i])).sort((a, b) => a.rank - b.rank);
  if (inPlay.length > 0 && inPlay[0].rank > 1) return "later page";
  const sum = inPlay.reduce((total, { propensity }) => total + propensity, 0);
  const isWhole =
    length > 0 &&
    Math.abs(sum - length) < tolerance * length &&
    inPlay.filter(({ isShown }) => isShown).length === length &&
    inPlay.every(({ propensity, isShown }) => propensity > 0 || !isShown) &&
    // Exploration may pass over products after the first ones.
    inPlay.every(({ rank }, i) => (i < length ? rank === i + 1 : rank > inPlay[i - 1].rank));
  if (!isWhole) return "incomplete";
  if (inPlay.some(({ listScore }, i) => i > 0 && listScore > inPlay[i - 1].listScore))
    return "not ordered by score";
  const sampled = products.filter((_, i) => isSampled(rows[i]));
  return { pseudonym, weight, length, inPlay, sampled, represented: candidatesPerSampledRow(example) };
}
