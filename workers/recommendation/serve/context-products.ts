import type { ContextProduct } from "../../../model/profile/profile-in-context.ts";
import { nearestMinorUnits } from "../../../shared/contracts/minor-units.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import type { ProductApi } from "../../../shared/services/product-api.ts";
import { loadCardsById } from "./cards.ts";

/**
 * Returns what a list knows of the products that the user looks at, in their order, without those that are not in the
 * catalog. If the catalog cannot be read, `skipped` says so.
 */
export async function contextProducts(
  catalog: Pick<ProductApi, "getCards">,
  application: string,
  productIds: readonly string[],
): Promise<{ products: ContextProduct[]; skipped?: string }> {
  if (productIds.length === 0) return { products: [] };
  try {
    const ids = [...new Set(productIds)];
    // Any version that was ever current will do.
    const wanted = ids.map((productId) => ({ productId, version: 1 }));
    const cards = unwrap(await loadCardsById(catalog, application, wanted), "the product service");
    const products = ids.flatMap((productId): ContextProduct[] => {
      const card = cards.get(productId);
      if (!card) return [];
      const { category, cell, location, price, currency } = card;
      const priceMinor = price === null ? null : nearestMinorUnits(price, currency);
      const { lat, lon } = location ?? { lat: null, lon: null };
      return [{ productId, category, cell, lat, lon, priceMinor, currency }];
    });
    return { products };
  } catch (error) {
    console.error({ event: "context of a request unknown", error: errorText(error) });
    return { products: [], skipped: "context: the catalog failed" };
  }
}
