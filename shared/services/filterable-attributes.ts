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
 * Returns the attributes that expressions may read, at most some seconds old; none for expressions that name no attribute,
 * for which nothing is read. Rejects if the first read of an isolate fails.
 */
export async function filterableAttributes(
  product: Pick<ProductApi, "getSchema">,
  application: string,
  expressions: readonly (string | undefined)[],
  waitUntil: (work: Promise<unknown>) => void,
): Promise<AttributeTypes> {
  if (!expressions.some((each) => each?.includes("attributes"))) return {};
  const read = async () =>
    filterableTypes(unwrap(await product.getSchema(application), "the product service"));
  return snapshots.get(application, read, waitUntil);
}
