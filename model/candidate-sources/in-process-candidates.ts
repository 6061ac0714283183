import type { CandidateService } from "../pipeline/ports.ts";
import { firstStageCandidates } from "../retrieval/first-stage-candidates.ts";
import { type ForwardingLookup, productColumns } from "../retrieval/product-columns.ts";
import type { TileSource } from "../retrieval/tile-source.ts";
import type { CandidateStore } from "./candidate-store.ts";
import { gatherCandidates } from "./gather-candidates.ts";

/** Returns a candidate store that reads tiles. `clock` returns seconds since the epoch. */
export const tileCandidateStore = (
  source: TileSource & ForwardingLookup,
  clock: () => number,
): CandidateStore => ({
  firstStageCandidates: (query) => firstStageCandidates(source, query),
  productColumns: (wanted, withNextProducts) => productColumns(source, wanted, clock(), withNextProducts),
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
): CandidateService & CandidateStore {
  const store = tileCandidateStore(source, clock);
  return { ...store, ...inProcessCandidateService(store) };
}
