import type { LastChoice, ProductRef } from "../../shared/contracts/retrieval.ts";
import { distinctChoices } from "../features/ranking-context.ts";
import { productPairKey, type ReadonlyProfile } from "../profile/profile.ts";

/** Last choices whose next products are candidates. */
export const lastChoiceCount = 3;

/** Returns the ids of the products that the user chose last, newest first. */
export const lastChoicesOf = ({ recent }: ReadonlyProfile): string[] =>
  distinctChoices([...recent].reverse())
    .slice(0, lastChoiceCount)
    .map(({ productId }) => productId);

/** Returns the last choices, newest first, each with the products that the user has chosen next after it. */
export function lastChoicesWithNextProducts(profile: ReadonlyProfile): LastChoice[] {
  const last = lastChoicesOf(profile).map((productId) => ({
    productId,
    prefix: productPairKey(productId, ""),
    nextProducts: [] as ProductRef[],
  }));
  for (const key of profile.transitions.keys())
    for (const { prefix, nextProducts } of last) {
      if (!key.startsWith(prefix)) continue;
      const productId = key.slice(prefix.length);
      const cell = profile.products.get(productId)?.cell ?? null;
      if (cell !== null) nextProducts.push({ productId, cell });
    }
  return last.map(({ productId, nextProducts }) => ({ productId, nextProducts }));
}
