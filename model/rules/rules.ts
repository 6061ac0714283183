import { decay } from "../../shared/geo/decay.ts";
import { vectorDistanceKm } from "../../shared/geo/sphere.ts";
import { type Columns, categoryOf } from "../columns/columns.ts";
import { compareProductIds } from "../columns/product-identity.ts";
import { ProductMap } from "../columns/product-map.ts";
import { rowVectorsOf } from "../columns/row-vectors.ts";
import { collapseGroups } from "./collapse-groups.ts";

/** Business rules of a request, applied to the ranked list. */
export interface Rules {
  limit: number;
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

/** Returns the categories that a boost of 0 removes. */
export const removedCategories = (boost: Rules["boost"] = {}): string[] =>
  Object.entries(boost).flatMap(([name, factor]) => (factor === 0 ? [name] : []));

/**
 * Returns the list to show: boosts, the best of each group of variants, caps per category and diversity, each product
 * once. The order is by score, ties by product, so that the same input always gives the same list.
 */
export function applyRules<R extends RankedRow>(ranked: readonly R[], rules: Rules): R[] {
  const { limit, perCategory = Number.POSITIVE_INFINITY, diversity = 0 } = rules;
  const list = collapseGroups(sortedByScore(boosted(ranked, new Map(Object.entries(rules.boost ?? {})))));
  const counts = new Map<string, number>();
  const addWithinCap = (selected: R[], each: R): boolean => {
    const category = categoryOf(each.block, each.row);
    const count = counts.get(category) ?? 0;
    if (count >= perCategory) return false;
    counts.set(category, count + 1);
    selected.push(each);
    return true;
  };
  if (diversity > 0) return diversified(list, limit, diversity, addWithinCap);
  const selected: R[] = [];
  for (const each of list) {
    if (selected.length >= limit) break;
    addWithinCap(selected, each);
  }
  return selected;
}

/** Returns each product once, with its score times the factor of its category; without those whose factor is 0. */
function boosted<R extends RankedRow>(ranked: readonly R[], factors: ReadonlyMap<string, number>): R[] {
  const hashes = new Set<number>();
  for (const { block, row } of ranked) hashes.add(block.idHash[row]);
  const seen = hashes.size < ranked.length ? new ProductMap<true>() : null;
  const list: R[] = [];
  for (const each of ranked) {
    if (seen?.get(each.block, each.row)) continue;
    seen?.insert(each.block, each.row, true);
    const factor = factors.get(categoryOf(each.block, each.row)) ?? 1;
    if (factor > 0) list.push(factor === 1 ? each : { ...each, score: each.score * factor });
  }
  return list;
}

const sortedByScore = <R extends RankedRow>(list: R[]): R[] =>
  list.sort((a, b) => b.score - a.score || compareProductIds(a.block, a.row, b.block, b.row));

/**
 * Selects one product after the other by maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): its score,
 * against its similarity to the most similar product selected before. It keeps that similarity for each product of the
 * pool, so that its time is the size of the pool times the limit.
 */
function diversified<R extends RankedRow>(
  list: readonly R[],
  limit: number,
  diversity: number,
  addWithinCap: (selected: R[], each: R) => boolean,
): R[] {
  const pool = list.slice(0, Math.max(minDiversityPool, limit * diversityPoolPerItem));
  const traits = pool.map(traitsOf);
  const similarity = new Float64Array(pool.length);
  const isLeft = new Uint8Array(pool.length).fill(1);
  const bestScore = pool[0]?.score || 1;
  const selected: R[] = [];
  for (let left = pool.length; left > 0 && selected.length < limit; left--) {
    let best = -1;
    let bestValue = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < pool.length; i++) {
      if (isLeft[i] === 0) continue;
      const value = (1 - diversity) * (pool[i].score / bestScore) - diversity * similarity[i];
      if (value > bestValue) {
        bestValue = value;
        best = i;
      }
    }
    isLeft[best] = 0;
    if (!addWithinCap(selected, pool[best])) continue;
    for (let i = 0; i < pool.length; i++)
      if (isLeft[i] === 1) similarity[i] = Math.max(similarity[i], similarityOf(traits[i], traits[best]));
  }
  // Caps may leave too few products of the pool.
  for (let i = pool.length; i < list.length && selected.length < limit; i++) addWithinCap(selected, list[i]);
  return selected;
}

/** What the similarity of products reads: looked up once for each product, not for each pair. */
interface Traits {
  category: string;
  /** Unit vectors of the product's block. */
  vectors: Float64Array;
  row: number;
}

/** Returns the traits of a product. */
export const traitsOf = ({ block, row }: RankedRow): Traits => ({
  category: categoryOf(block, row),
  vectors: rowVectorsOf(block),
  row,
});

/** Returns the similarity of two products, 0..1: half for the same category, half for being near. */
export function similarityOf(a: Traits, b: Traits): number {
  const km = vectorDistanceKm(a.vectors, a.row, b.vectors, b.row);
  const near = Number.isNaN(km) ? 0 : locationSimilarity * decay(km);
  return (a.category === b.category ? categorySimilarity : 0) + near;
}
