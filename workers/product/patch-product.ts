import { excessDigits } from "../../shared/contracts/excess-digits.ts";
import { decimalOf, nearestMinorUnits } from "../../shared/contracts/minor-units.ts";
import type { ProductPatch } from "../../shared/contracts/product.ts";
import { ok, type Result, refuse } from "../../shared/contracts/result.ts";
import { type ProductRow, productColumnChanges } from "./rows.ts";
import type { ProductStore } from "./store.ts";

/** The price of a product, as its row holds it. */
type StoredPrice = Pick<ProductRow, "priceMinor" | "currency">;

/** Attempts to change a price while other calls change it too. */
const maxAttempts = 5;

/**
 * Changes a product. Refuses with `not_found` if it does not exist, and with `invalid_input` if its price would have
 * more digits than its currency. The price is a number of minor units of the currency, so a patch of one of the two
 * reads the other one, and writes only if neither has changed since.
 */
export async function patchProduct(
  store: ProductStore,
  application: string,
  productId: string,
  { price, currency, ...others }: ProductPatch,
  now: number,
): Promise<Result<null>> {
  const notFound = refuse("not_found", "There is no product with this id.");
  const changes = productColumnChanges(productId, others);
  const readsPrice = (price === undefined) !== (currency === undefined);
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const stored = readsPrice ? await readPrice(store, application, productId) : undefined;
    if (stored === null) return notFound;
    const patched = patchedPrice(price, currency, stored);
    if (!patched.ok) return patched;
    const written = { ...changes, ...patched.value };
    if (await store.patch(application, productId, written, now, stored)) return ok(null);
    if (!readsPrice) return notFound;
  }
  return refuse("conflict", "Other calls change the price of the product; retry the request.");
}

async function readPrice(
  store: ProductStore,
  application: string,
  productId: string,
): Promise<StoredPrice | null> {
  const [found] = await store.read(application, [productId]);
  if (!found || found.row.deleted === 1) return null;
  return { priceMinor: found.row.priceMinor, currency: found.row.currency };
}

/** Returns the columns of the price after a patch; `stored` is given if the patch has either a price or a currency. */
function patchedPrice(
  price: number | null | undefined,
  currency: string | null | undefined,
  stored: StoredPrice | undefined,
): Result<Partial<StoredPrice>> {
  if (price === undefined && currency === undefined) return ok({});
  const newCurrency = (currency === undefined ? stored?.currency : currency) ?? null;
  const storedPrice =
    stored === undefined || stored.priceMinor === null ? null : decimalOf(stored.priceMinor, stored.currency);
  const newPrice = price === undefined ? storedPrice : price;
  const excess = newPrice === null ? null : excessDigits(newPrice, newCurrency);
  if (excess !== null)
    return refuse("invalid_input", "The price of the product does not fit its currency.", {
      issues: [
        price === undefined
          ? {
              path: "currency",
              message: `the stored price does not fit it, so send \`price\` too: it ${excess}`,
            }
          : { path: "price", message: excess },
      ],
    });
  return ok({
    priceMinor: newPrice === null ? null : nearestMinorUnits(newPrice, newCurrency),
    currency: newCurrency,
  });
}
