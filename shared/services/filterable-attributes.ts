import { RefreshedSnapshots } from "../cache/refreshed-snapshots.ts";
import { type AttributeTypes, filterableTypes } from "../contracts/catalog-schema.ts";
import { unwrap } from "../contracts/result.ts";
import type { ProductApi } from "./product-api.ts";

const snapshots = new RefreshedSnapshots<AttributeTypes>({
  failure: "catalog schema not read",
  maxAgeMs: 5000,
  // Attributes of all applications.
  maxSize: 20_000,
  sizeOf: (types) => 1 + Object.keys(types).length,
});

/**
 * Returns the filterable attributes, at most some seconds old; none if no text, such as an expression, names one as
 * `attributes.NAME`, for which nothing is read. Rejects if the first read of an isolate fails.
 */
export async function filterableAttributes(
  product: Pick<ProductApi, "getSchema">,
  application: string,
  texts: readonly (string | undefined)[],
  waitUntil: (work: Promise<unknown>) => void,
): Promise<AttributeTypes> {
  if (!texts.some((each) => each?.includes("attributes"))) return {};
  const read = async () =>
    filterableTypes(unwrap(await product.getSchema(application), "the product service"));
  return snapshots.get(application, read, waitUntil);
}
