import type { CandidateService } from "../pipeline/ports.ts";
import { candidates, columnsOf, type Forwards } from "../retrieval/candidates.ts";
import type { TileSource } from "../retrieval/tiles.ts";
import { gatherCandidates } from "./gather-candidates.ts";
import type { CandidateStore } from "./source.ts";

/** {@link CandidateStore} over any source of tiles; `clock` tells seconds since the epoch. */
export const candidateStoreOver = (source: TileSource & Forwards, clock: () => number): CandidateStore => ({
  firstStage: (query) => candidates(source, query),
  products: (wanted, withNextProducts) => columnsOf(source, wanted, clock(), withNextProducts),
});

/** {@link CandidateService} over shelves in the same process, where nothing has names. */
export const candidateServiceFrom = (
  store: CandidateStore,
  wait?: (ms: number) => Promise<void>,
): CandidateService => ({
  gather: async (query) => ({ ...(await gatherCandidates(store, query, wait)), place: null }),
});

/** Both over a source of tiles in memory: for training and evaluation. */
export function inMemoryCandidates(
  source: TileSource & Forwards,
  clock: () => number,
): CandidateService & CandidateStore {
  const store = candidateStoreOver(source, clock);
  return { ...store, ...candidateServiceFrom(store) };
}
