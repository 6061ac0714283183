import { decay } from "../../shared/geo/decay.ts";
import { distanceKm } from "../../shared/geo/distance.ts";
import type { Columns } from "../columns/columns.ts";
import { hash32, hash53 } from "../columns/hash.ts";

/** Business rules of a request, applied to the ranked list. */
export interface Rules {
  limit: number;
  /** Product ids to leave out. */
  exclude?: readonly string[];
  /** Factors on the score, by category; 0 removes the category. */
  boost?: Readonly<Record<string, number>>;
  /** Weight of dissimilarity against score, 0..1. */
  diversity?: number;
  /** Products of one category, at most. */
  perCategory?: number;
}

/** A row of a block with its score. */
export interface RankedRow {
  block: Columns;
  row: number;
  /** Never negative. */
  score: number;
}

/** Best candidates that diversity compares in pairs: this many for each item of the list, and at least the minimum. */
const diversityPoolPerItem = 10;
const minDiversityPool = 50;

/** Similarity of two products of the same category, and of two at the same location; together 1. */
const categorySimilarity = 0.5;
const locationSimilarity = 0.5;

/**
 * Returns the list to show: exclusions, boosts, caps per category and diversity, each product once. The order is by
 * score, ties by id hash, so that the same input always gives the same list.
 */
export function applyRules<R extends RankedRow>(ranked: readonly R[], rules: Rules): R[] {
  const excluded = new Set((rules.exclude ?? []).map(hash53));
  const boosts = new Map(Object.entries(rules.boost ?? {}).map(([name, factor]) => [hash32(name), factor]));
  const seen = new Set<number>();
  const list: R[] = [];
  for (const each of ranked) {
    const hash = each.block.idHash[each.row];
    if (excluded.has(hash) || seen.has(hash)) continue;
    seen.add(hash);
    const boost = boosts.get(each.block.categoryHash[each.row]) ?? 1;
    if (boost > 0) list.push(boost === 1 ? each : { ...each, score: each.score * boost });
  }
  list.sort((a, b) => b.score - a.score || a.block.idHash[a.row] - b.block.idHash[b.row]);
  const { limit, perCategory = Number.POSITIVE_INFINITY, diversity = 0 } = rules;
  const counts = new Map<number, number>();
  const selected: R[] = [];
  const pool = diversity > 0 ? list.slice(0, Math.max(minDiversityPool, limit * diversityPoolPerItem)) : list;
  const addWithinCap = (each: R): void => {
    const category = each.block.categoryHash[each.row];
    const count = counts.get(category) ?? 0;
    if (count >= perCategory) return;
    counts.set(category, count + 1);
    selected.push(each);
  };
  if (diversity === 0) {
    for (const each of pool) if (selected.length < limit) addWithinCap(each);
    return selected;
  }
  const bestScore = pool[0]?.score || 1;
  while (selected.length < limit && pool.length > 0) {
    let bestIndex = 0;
    let bestValue = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < pool.length; i++) {
      const value =
        (1 - diversity) * (pool[i].score / bestScore) - diversity * maxSimilarity(pool[i], selected);
      if (value > bestValue) {
        bestValue = value;
        bestIndex = i;
      }
    }
    addWithinCap(pool.splice(bestIndex, 1)[0]);
  }
  return selected;
}

/**
 * Returns the similarity of a product to the most similar of the selected ones, 0..1: half for the same category, half
 * for being near (maximal marginal relevance: Carbonell and Goldstein, SIGIR 1998).
 */
function maxSimilarity(each: RankedRow, selected: readonly RankedRow[]): number {
  let max = 0;
  for (const other of selected) {
    const sameCategory = each.block.categoryHash[each.row] === other.block.categoryHash[other.row];
    const km = distanceKm(
      each.block.lat[each.row],
      each.block.lon[each.row],
      other.block.lat[other.row],
      other.block.lon[other.row],
    );
    max = Math.max(
      max,
      (sameCategory ? categorySimilarity : 0) + (Number.isNaN(km) ? 0 : locationSimilarity * decay(km)),
    );
  }
  return max;
}
