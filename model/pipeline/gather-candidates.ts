import { unitVectors, vectorDistanceKm } from "../../shared/geo/sphere.ts";
import type { CandidateQuery } from "../candidate-query/candidate-query.ts";
import { candidateRequestOf } from "../candidate-query/candidate-request.ts";
import type { Columns } from "../columns/columns.ts";
import type { Candidate } from "../features/compute.ts";
import { compileFilter } from "../retrieval/filter.ts";
import { enoughNear, reachKm } from "../retrieval/reach.ts";
import { vectorsOf } from "../retrieval/scan.ts";
import type { CandidateService, ResolvedNames } from "./ports.ts";

/** Candidates, and the blocks in which the last choices' followers can be read. */
export interface Gathered {
  candidates: Candidate[];
  blocks: Columns[];
  /** What was left out, each with its reason. */
  skipped: string[];
  place: ResolvedNames;
}

/**
 * Asks for what is around the person and merges it: what they chose and what followed always stays; the rest of the
 * places goes to what is near, best first. `withinMs` bounds the wait for what the person leads to: with none left it is
 * not asked for, without a bound (null) waited for. Throws where nothing could be read.
 */
export async function gather(
  query: CandidateQuery,
  places: CandidateService,
  withinMs: number | null = null,
): Promise<Gathered> {
  const withUser = withinMs === null || withinMs > 0;
  const asked = candidateRequestOf(query, withUser, withinMs);
  const { near, chosen, next: followed, skipped, place } = await places.gather(asked);
  const others = [chosen, followed].filter((block) => block !== null);
  return {
    candidates: merge(query, near, others),
    blocks: [chosen, near, followed].filter((block) => block !== null),
    skipped: withUser ? skipped : [...skipped, "chosen: budget", "next: budget"],
    place,
  };
}

/** One candidate per product, at most `limit`, only those that pass the filter and are within reach. */
function merge(query: CandidateQuery, close: Columns | null, others: readonly Columns[]): Candidate[] {
  const { filter, point, limit } = query;
  const test = compileFilter(filter);
  const here = point && unitVectors([point.lat], [point.lon], 1);
  const far: Candidate[] = [];
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
    const candidate = { block, row, trace: { near: nearScore, sources: 1 } };
    const km = here ? vectorDistanceKm(here, 0, vectorsOf(block), row) : 0;
    if (filter.radiusKm !== undefined && !(km <= filter.radiusKm)) return;
    // A product without a place is everywhere.
    if (km > reachKm) far.push(candidate);
    else merged.set(hash, candidate);
  };
  for (const block of others) for (let row = 0; row < block.count; row++) add(block, row, 0);
  if (close) for (let row = 0; row < close.count; row++) add(close, row, 1 / (1 + row / 20));
  if (merged.size < enoughNear)
    for (const each of far) {
      const hash = each.block.idHash[each.row];
      if (!merged.has(hash)) merged.set(hash, each);
    }
  // What only `near` brought is in its order; everything else came first and stays.
  return [...merged.values()].slice(0, limit);
}
