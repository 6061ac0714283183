import type { LastChoice, ProductRef } from "../../shared/contracts/retrieval.ts";
import { type Columns, nextProductsOf } from "../columns/columns.ts";
import { hash53 } from "../columns/hash.ts";
import { rowOfHash } from "../retrieval/tiles.ts";
import type { CandidateSource } from "./source.ts";

/** Followers of the last choices that are in none of the blocks, each once. */
function missingIn(blocks: readonly Columns[], last: readonly LastChoice[]): ProductRef[] {
  const missing = new Map<string, string>();
  const want = ({ productId, cell }: ProductRef): void => {
    const hash = hash53(productId);
    if (!blocks.some((block) => rowOfHash(block, hash) !== undefined)) missing.set(productId, cell);
  };
  for (const { productId, transitions } of last) {
    transitions.forEach(want);
    for (const block of blocks) {
      const row = rowOfHash(block, hash53(productId));
      if (row === undefined) continue;
      nextProductsOf(block, row).forEach(want);
      break;
    }
  }
  return [...missing].map(([productId, cell]) => ({ productId, cell }));
}

/**
 * What followed what they just did, for them and for everyone. It reads neighbour columns out of blocks that other
 * sources brought, and fetches only products that are in none of them.
 */
export const nextProducts: CandidateSource = {
  name: "next",
  find: async (store, { last }, brought) => {
    const missing = missingIn(brought, last);
    return missing.length > 0 ? store.products(missing, 0) : null;
  },
};
