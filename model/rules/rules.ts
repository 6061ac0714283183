import { decay } from "../../shared/geo/decay.ts";
import { distanceKm } from "../../shared/geo/distance.ts";
import type { Columns } from "../columns/columns.ts";
import { hash32, hash53 } from "../columns/hash.ts";

/** What a caller may ask of the list, beside its filter. */
export interface Rules {
  limit: number;
  exclude?: readonly string[];
  /** Factors on the score by category. */
  boost?: Readonly<Record<string, number>>;
  diversity?: number;
  perCategory?: number;
}

/** A ranked row. */
export interface Ranked {
  block: Columns;
  row: number;
  /** Never negative. */
  score: number;
}

/** Lists longer than this many times the limit are cut before diversity looks at every pair. */
const headPerItem = 10;

/**
 * From scores to the list: exclusions, boosts, caps and diversity. The order is by score, ties by id hash, so that
 * the same input always gives the same list; no product twice.
 */
export function applyRules<R extends Ranked>(ranked: readonly R[], rules: Rules): R[] {
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
  const chosen: R[] = [];
  const open = diversity > 0 ? list.slice(0, Math.max(50, limit * headPerItem)) : list;
  const take = (each: R): boolean => {
    const category = each.block.categoryHash[each.row];
    const count = counts.get(category) ?? 0;
    if (count >= perCategory) return false;
    counts.set(category, count + 1);
    chosen.push(each);
    return true;
  };
  if (diversity === 0) {
    for (const each of open) if (chosen.length < limit) take(each);
    return chosen;
  }
  const best = open[0]?.score || 1;
  while (chosen.length < limit && open.length > 0) {
    let pick = 0;
    let most = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < open.length; i++) {
      const value = (1 - diversity) * (open[i].score / best) - diversity * likeness(open[i], chosen);
      if (value > most) {
        most = value;
        pick = i;
      }
    }
    take(open.splice(pick, 1)[0]);
  }
  return chosen;
}

/**
 * How alike a product is to the most alike of those chosen, 0..1: half for the category, half for being near
 * (maximal marginal relevance: Carbonell and Goldstein, SIGIR 1998).
 */
function likeness(each: Ranked, chosen: readonly Ranked[]): number {
  let most = 0;
  for (const other of chosen) {
    const category = each.block.categoryHash[each.row] === other.block.categoryHash[other.row] ? 0.5 : 0;
    const km = distanceKm(
      each.block.lat[each.row],
      each.block.lon[each.row],
      other.block.lat[other.row],
      other.block.lon[other.row],
    );
    most = Math.max(most, category + (Number.isNaN(km) ? 0 : 0.5 * decay(km)));
  }
  return most;
}
