import { mapConcurrent } from "../../shared/async/map-concurrent.ts";
import { type ApiTarget, getWithRetries } from "../api/send-with-retries.ts";

/** Products that are looked up one by one; above this number the whole catalog is listed. */
const maxLookups = 200;
const maxConcurrentLookups = 8;
/** Products on a page: the API's maximum. */
const pageSize = 500;

/** Returns those of `ids` that the catalog of a deployment has. */
export async function findKnownProducts(target: ApiTarget, ids: ReadonlySet<string>): Promise<Set<string>> {
  const known = new Set<string>();
  if (ids.size <= maxLookups) {
    await mapConcurrent(maxConcurrentLookups, [...ids], async (id) => {
      if ((await getWithRetries(target, `/v1/products/${encodeURIComponent(id)}`)) !== null) known.add(id);
    });
    return known;
  }
  for (let cursor: string | null = ""; cursor !== null; ) {
    const query: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page = (await getWithRetries(target, `/v1/products?limit=${pageSize}${query}`)) as {
      items: { id: string }[];
      nextCursor?: string | null;
    } | null;
    for (const { id } of page?.items ?? []) if (ids.has(id)) known.add(id);
    cursor = page?.nextCursor ?? null;
  }
  return known;
}
