import { mapConcurrent } from "../../shared/async/map-concurrent.ts";
import { type ApiTarget, connectionFailure } from "../api/send-with-retries.ts";

/** Products that are looked up one by one; above this number the whole catalog is listed. */
const maxLookups = 200;
const maxConcurrentLookups = 8;
/** Products on a page: the API's maximum. */
const pageSize = 500;

async function get(target: ApiTarget, path: string): Promise<Response> {
  const headers = { authorization: `Bearer ${target.key}` };
  const answer = await fetch(`${target.url}${path}`, { headers }).catch((error: unknown) => {
    throw new Error(`GET ${path}: ${connectionFailure(target, error)}`);
  });
  if (answer.ok || answer.status === 404) return answer;
  throw new Error(`GET ${path} answered ${answer.status}: ${(await answer.text()).slice(0, 300)}`);
}

/** Returns those of `ids` that the catalog of a deployment has. */
export async function findKnownProducts(target: ApiTarget, ids: ReadonlySet<string>): Promise<Set<string>> {
  const known = new Set<string>();
  if (ids.size <= maxLookups) {
    await mapConcurrent(maxConcurrentLookups, [...ids], async (id) => {
      const answer = await get(target, `/v1/products/${encodeURIComponent(id)}`);
      if (answer.ok) known.add(id);
      await answer.body?.cancel();
    });
    return known;
  }
  for (let cursor: string | null = ""; cursor !== null; ) {
    const query: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const answer = await get(target, `/v1/products?limit=${pageSize}${query}`);
    const page = (await answer.json()) as { items: { id: string }[]; nextCursor?: string | null };
    for (const { id } of page.items) if (ids.has(id)) known.add(id);
    cursor = page.nextCursor ?? null;
  }
  return known;
}
