import { distanceKm } from "../../workers/shared/geo/distance.ts";
import type { Columns } from "../columns/columns.ts";
import type { Candidate } from "../features/compute.ts";
import { compileFilter } from "../retrieval/filter.ts";
import { chosen } from "../sources/chosen.ts";
import { followed } from "../sources/followed.ts";
import type { SourceQuery } from "../sources/source.ts";
import { usual } from "../sources/usual.ts";

/** Candidates, and the blocks in which the last choices' followers can be read. */
export interface Gathered {
  candidates: Candidate[];
  blocks: Columns[];
}

/**
 * Asks the sources and merges what they bring: what the person chose and what followed always stays; the rest of the
 * places goes to what is near, best first. `nearBlock` is what the source `near` answered (it may have been asked
 * before the person was known).
 */
export async function gather(
  query: SourceQuery,
  nearBlock: Promise<Columns>,
  withPerson: boolean,
): Promise<Gathered> {
  if (!withPerson) {
    const near = await nearBlock;
    return { candidates: merge(query, near, []), blocks: [near] };
  }
  const [near, own, usualPlaces] = await Promise.all([nearBlock, chosen.find(query), usual.find(query)]);
  const followers = await followed(query, [...own, near]);
  return {
    candidates: merge(query, near, [...own, ...followers, ...usualPlaces]),
    blocks: [...own, near, ...followers],
  };
}

/** One candidate per product, at most `limit`, only those that pass the filter. */
function merge(query: SourceQuery, near: Columns, others: readonly Columns[]): Candidate[] {
  const { filter, point, limit } = query;
  const test = compileFilter(filter);
  const radiusKm = filter.radiusKm ?? Number.POSITIVE_INFINITY;
  const merged = new Map<number, Candidate>();
  const add = (block: Columns, row: number, nearScore: number): void => {
    const hash = block.idHash[row];
    const known = merged.get(hash);
    if (known) {
      known.trace.sources++;
      known.trace.near = Math.max(known.trace.near, nearScore);
      return;
    }
    if (!test(block, row)) return;
    if (radiusKm < Number.POSITIVE_INFINITY && point) {
      const km = distanceKm(point.lat, point.lon, block.lat[row], block.lon[row]);
      if (!(km <= radiusKm)) return;
    }
    merged.set(hash, { block, row, trace: { near: nearScore, sources: 1 } });
  };
  for (const block of others) for (let row = 0; row < block.count; row++) add(block, row, 0);
  for (let row = 0; row < near.count; row++) add(near, row, 1 / (1 + row / 20));
  const all = [...merged.values()];
  if (all.length <= limit) return all;
  // What only `near` brought is in its order; everything else came first and stays.
  return all.slice(0, limit);
}
