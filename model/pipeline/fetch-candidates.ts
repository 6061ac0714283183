import type { Searched } from "../../shared/contracts/location.ts";
import type { CandidateSourceName } from "../../shared/contracts/recommendation.ts";
import type { CandidateQuery } from "../candidate-query/candidate-query.ts";
import { candidateRequestOf } from "../candidate-query/candidate-request.ts";
import type { Columns } from "../columns/columns.ts";
import { ProductMap } from "../columns/product-map.ts";
import type { Candidate } from "../features/compute-features.ts";
import { CandidateCounter } from "../retrieval/candidate-caps.ts";
import { compileProductTest } from "../retrieval/filter.ts";
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
  /** How far the source `near` searched; null if it failed. */
  searched: Searched | null;
  /** The block of each source; null if the source found nothing or was left out. */
  blockBySource: BlockBySource;
}

/** The blocks of the candidate sources. */
export type BlockBySource = Readonly<Record<CandidateSourceName, Columns | null>>;

/**
 * Returns the sources that found a candidate. The block of the candidate is that of `chosen` or `next` if one of them did.
 */
export function sourcesOf(
  { block, trace }: Pick<Candidate, "block" | "trace">,
  { near, chosen, next }: BlockBySource,
): CandidateSourceName[] {
  const found = new Set<CandidateSourceName>();
  if (trace.near > 0 || block === near) found.add("near");
  if (block === chosen) found.add("chosen");
  // Rows of `chosen` come first, so what both found has the block of `chosen`.
  if (block === next || trace.sources > found.size) found.add("next");
  return [...found];
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
    searched: near?.meta.searched ?? null,
    blockBySource: { near, chosen, next },
  };
}

/** Returns at most `limit` candidates that match the query, one for each product. */
function merge(query: CandidateQuery, near: Columns | null, others: readonly Columns[]): Candidate[] {
  const matches = compileProductTest(query).row;
  const only = query.only && new Set(query.only);
  const test: typeof matches = only
    ? (block, row) => matches(block, row) && only.has(block.id(row))
    : matches;
  const merged = new ProductMap<Candidate>(query.limit + others.reduce((sum, { count }) => sum + count, 0));
  const add = (block: Columns, row: number, nearScore: number): void => {
    const earlier = merged.get(block, row);
    if (earlier) {
      earlier.trace.sources++;
      earlier.trace.near = Math.max(earlier.trace.near, nearScore);
      return;
    }
    if (test(block, row)) merged.insert(block, row, { block, row, trace: { near: nearScore, sources: 1 } });
  };
  for (const block of others) for (let row = 0; row < block.count; row++) add(block, row, 0);
  if (near) for (let row = 0; row < near.count; row++) add(near, row, 1 / (1 + row / nearRankScale));
  // Products of the other sources were added first, so the limit cuts those that only `near` found, worst first.
  const counter = new CandidateCounter(query.caps);
  const named = new Set(query.named?.map(({ productId }) => productId));
  const isNamed = ({ block, row }: Candidate): boolean => named.size > 0 && named.has(block.id(row));
  const all = merged.values();
  const first = all.filter(isNamed);
  const unnamed = named.size === 0 ? all : all.filter((each) => !isNamed(each));
  const candidates = unnamed.filter(({ block, row }) => counter.take(block, row));
  return [...first, ...candidates].slice(0, query.limit);
}
