import type { CandidateService } from "../pipeline/ports.ts";
import { firstStageCandidates } from "../retrieval/first-stage-candidates.ts";
import { hideSmallCounts } from "../retrieval/hide-small-counts.ts";
import { type ForwardingLookup, productColumns } from "../retrieval/product-columns.ts";
import type { TileSource } from "../retrieval/tile-source.ts";
import type { CandidateStore } from "./candidate-store.ts";
import { gatherCandidates } from "./gather-candidates.ts";

/**
 * Returns a candidate store that reads tiles. `clock` returns seconds since the epoch. Where a query hides small counts,
 * those of fewer than `minUsersShown` users are hidden.
 */
export const tileCandidateStore = (
  source: TileSource & ForwardingLookup,
  clock: () => number,
  minUsersShown = 0,
): CandidateStore => ({
  firstStageCandidates: (query) => firstStageCandidates(source, query, minUsersShown),
  productColumns: async (wanted, withNextProducts, hidesSmallCounts = false) => {
    const columns = await productColumns(source, wanted, clock(), withNextProducts);
    if (hidesSmallCounts) hideSmallCounts(columns, minUsersShown);
    return columns;
  },
});

/** Returns a candidate service that reads a store in the same process, and that resolves no location. */
export const inProcessCandidateService = (
  store: CandidateStore,
  wait?: (ms: number) => Promise<void>,
): CandidateService => ({
  gatherCandidates: async (request) => ({ ...(await gatherCandidates(store, request, wait)), place: null }),
});

/** Returns a candidate service and store over tiles in memory, for training and evaluation. */
export function inProcessCandidates(
  source: TileSource & ForwardingLookup,
  clock: () => number,
  minUsersShown = 0,
): CandidateService & CandidateStore {
  const store = tileCandidateStore(source, clock, minUsersShown);
  return { ...store, ...inProcessCandidateService(store) };
}
