import { drawRanks } from "./rank-draw.ts";

/** How often, and how far down the ranking, the policy explores. */
export interface Exploration {
  /** Probability that the last position of a list shows a lower-ranked item; 0 for never. */
  rate: number;
  /** Number of next-ranked items among which the policy draws uniformly. */
  depth: number;
  /** Condition on products that the policy may show so; all of them if absent. Callers evaluate it. */
  when?: string;
  /** Share (0 to 1) of the lists whose order is drawn, and the temperature of the draw: see {@link drawOrder}. */
  drawn?: { share: number; temperature: number };
}

/** Returns how many items after the first ones a policy may show. */
export const othersInPlay = ({ rate, depth, drawn }: Exploration): number =>
  rate > 0 || (drawn && drawn.share > 0) ? depth : 0;

/** An item that the policy might have shown. */
export interface ItemInPlay<T> {
  item: T;
  /** Position in the ranking, from 1. */
  rank: number;
  /** Position in the list, from 1; 0 if the item is not shown. */
  position: number;
  /**
   * Probability with which the policy shows the item. Each item has one position where it may be shown, unless the order was
   * drawn: then it is the probability of its position given the items before it.
   */
  propensity: number;
}

/** The items that a policy might have shown in a list. */
export interface ExploredList<T> {
  inPlay: ItemInPlay<T>[];
  /** Temperature by which the order of the list was drawn; absent if the list has the order of the ranking. */
  rankTemperature?: number;
}

/** The policy does not explore in shorter lists: their last position still holds one of the best items. */
export const minListLength = 5;

/**
 * Draws the order of a list: each position shows one of the first `limit` items or of the `depth` ones that follow them and
 * may be shown, by chance in proportion to a power of the rank ({@link drawRanks}). Outcomes at other positions than the
 * rank tell how often users look at positions.
 */
export function drawOrder<T>(
  ranking: readonly T[],
  limit: number,
  { depth }: Pick<Exploration, "depth">,
  temperature: number,
  random: () => number,
  mayExplore: (item: T) => boolean = () => true,
): ExploredList<T> {
  const pool = ranking
    .slice(0, limit + depth)
    .flatMap((item, i) => (i < limit || mayExplore(item) ? [{ item, rank: i + 1 }] : []));
  const { order, propensities } = drawRanks(pool.length, limit, temperature, random);
  return {
    inPlay: order.map((at, i) => ({
      ...pool[at],
      position: i < limit ? i + 1 : 0,
      propensity: propensities[i],
    })),
    rankTemperature: temperature,
  };
}

/**
 * Returns the items that the policy might show, with their propensities: the shown ones by position, then those that the
 * last position might have shown instead, by rank. With probability `rate`, the last position shows one of the `depth`
 * items that follow the first `limit` of the ranking, each with the same probability. So users also see items that the
 * model would never show, at the position where exploration costs least. The known propensities allow off-policy
 * evaluation (Horvitz and Thompson, 1952; Bottou and others, JMLR 14, 2013).
 *
 * The propensities are exact if each item of `ranking` may be shown: what is not for sale must be left out before. They
 * add up to the number of positions. `random` returns numbers in [0, 1). `mayExplore` returns whether the policy may show an
 * item that follows the first `limit`.
 */
export function explore<T>(
  ranking: readonly T[],
  limit: number,
  { rate, depth }: Exploration,
  random: () => number,
  mayExplore: (item: T) => boolean = () => true,
): ItemInPlay<T>[] {
  const inPlay = ranking
    .slice(0, limit)
    .map((item, i): ItemInPlay<T> => ({ item, rank: i + 1, position: i + 1, propensity: 1 }));
  const others = ranking
    .slice(limit, limit + depth)
    .flatMap((item, i) => (mayExplore(item) ? [{ item, rank: limit + i + 1 }] : []));
  if (inPlay.length < minListLength || others.length === 0 || !(rate > 0)) return inPlay;
  const best: ItemInPlay<T> = { ...inPlay[limit - 1], position: 0, propensity: 1 - rate };
  const lastItems = [
    best,
    ...others.map((other) => ({ ...other, position: 0, propensity: rate / others.length })),
  ];
  const drawn = random() < rate ? 1 + Math.min(others.length - 1, Math.floor(random() * others.length)) : 0;
  return [
    ...inPlay.slice(0, -1),
    { ...lastItems[drawn], position: limit },
    ...lastItems.filter((_, i) => i !== drawn),
  ];
}
