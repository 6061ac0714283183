import type { LastChoice, ProductRef } from "../../shared/contracts/retrieval.ts";
import { type Columns, nextProductsOf } from "../columns/columns.ts";
import { rowOfProduct } from "../columns/row-index.ts";
import type { CandidateSource } from "./candidate-source.ts";

/** Returns the next products of the last choices that none of the blocks contains, each once. */
function missingIn(blocks: readonly Columns[], last: readonly LastChoice[]): ProductRef[] {
  const missing = new Map<string, string>();
  const addIfMissing = ({ productId, cell }: ProductRef): void => {
    if (!blocks.some((block) => rowOfProduct(block, productId) !== undefined)) missing.set(productId, cell);
  };
  for (const { productId, nextProducts } of last) {
    nextProducts.forEach(addIfMissing);
    for (const block of blocks) {
      const row = rowOfProduct(block, productId);
      if (row === undefined) continue;
      nextProductsOf(block, row).forEach(addIfMissing);
      break;
    }
  }
  return [...missing].map(([productId, cell]) => ({ productId, cell }));
}

/**
 * Finds the products that this user, and all users, chose after the user's last choices. It reads next products from
 * the blocks of earlier sources, and fetches only products that no block contains.
 */
export const nextProductsSource: CandidateSource = {
  name: "next",
  find: async (store, { last, near }, earlierBlocks) => {
    const missing = missingIn(earlierBlocks, last);
    return missing.length > 0 ? store.productColumns(missing, 0, near.hidesSmallCounts) : null;
  },
};
