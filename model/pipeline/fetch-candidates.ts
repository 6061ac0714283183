import { unitVectors, vectorDistanceKm } from "../../shared/geo/sphere.ts";
import type { CandidateQuery } from "../candidate-query/candidate-query.ts";
import { candidateRequestOf } from "../candidate-query/candidate-request.ts";
import type { Columns } from "../columns/columns.ts";
import { rowVectorsOf } from "../columns/row-vectors.ts";
import type { Candidate } from "../features/compute-features.ts";
import { compileFilter } from "../retrieval/filter.ts";
import { localRadiusKm, minLocalCandidates } from "../retrieval/local-radius.ts";
import type { CandidateService, LocationResolution } from "./ports.ts";

/** Rank in the source `near` at which the trace of a candidate is one half. */
const nearRankScale = 20;

/** Candidates of a recommendation. */
export interface FetchedCandidates {
  candidates: Candidate[];
  /** Blocks of all sources, which also contain the next products of the user's last choices. */
  blocks: Columns[];
  /** Sources that were left out, each with its reason. */
  skipped: string[];
  place: LocationResolution;
}

/**
 * Fetches the candidates of a recommendation and merges them. Products that the user's history leads to come first, and
 * products nearby fill the rest up to the limit, best first. `profileTimeoutMs` limits the wait for the products of the
 * history: 0 leaves them out, null waits without limit. Rejects if no source can be read.
 */
export async function fetchCandidates(
  query: CandidateQuery,
  service: CandidateService,
  profileTimeoutMs: number | null = null,
): Promise<FetchedCandidates> {
  const withProfile = profileTimeoutMs === null || profileTimeoutMs > 0;
  const request = candidateRequestOf(query, withProfile, profileTimeoutMs);
  const { near, chosen, next, skipped, place } = await service.gatherCandidates(request);
  const others = [chosen, next].filter((block) => block !== null);
  return {
    candidates: merge(query, near, others),
    blocks: [chosen, near, next].filter((block) => block !== null),
    skipped: withProfile ? skipped : [...skipped, "chosen: budget", "next: budget"],
    place,
  };
}

/**
 * Returns at most `limit` candidates that match the filter, one for each product. Products beyond the local radius are
 * candidates only if there are few local ones.
 */
function merge(query: CandidateQuery, near: Columns | null, others: readonly Columns[]): Candidate[] {
  const { filter, point, limit } = query;
  const test = compileFilter(filter);
  const here = point && unitVectors([point.lat], [point.lon], 1);
  const far: Candidate[] = [];
  const merged = new Map<number, Candidate>();
  const add = (block: Columns, row: number, nearScore: number): void => {
    const hash = block.idHash[row];
    const earlier = merged.get(hash);
    if (earlier) {
      earlier.trace.sources++;
      earlier.trace.near = Math.max(earlier.trace.near, nearScore);
      return;
    }
    if (!test(block, row)) return;
    const candidate = { block, row, trace: { near: nearScore, sources: 1 } };
    const km = here ? vectorDistanceKm(here, 0, rowVectorsOf(block), row) : 0;
    if (filter.radiusKm !== undefined && !(km <= filter.radiusKm)) return;
    // The distance of a product without a location is NaN, so it counts as local.
    if (km > localRadiusKm) far.push(candidate);
    else merged.set(hash, candidate);
  };
  for (const block of others) for (let row = 0; row < block.count; row++) add(block, row, 0);
  if (near) for (let row = 0; row < near.count; row++) add(near, row, 1 / (1 + row / nearRankScale));
  if (merged.size < minLocalCandidates)
    for (const each of far) {
      const hash = each.block.idHash[each.row];
      if (!merged.has(hash)) merged.set(hash, each);
    }
  // Products of the other sources were added first, so the limit cuts those that only `near` found, worst first.
  return [...merged.values()].slice(0, limit);
}
