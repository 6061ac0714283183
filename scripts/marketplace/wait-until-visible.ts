import { setTimeout as sleep } from "node:timers/promises";
import type { ProductBody } from "../../shared/contracts/product.ts";
import type { ApiTarget } from "../api/send-with-retries.ts";

/** Number of products that are looked up, spread evenly over all imported products. */
const sampleSize = 12;
/** Seconds without another visible product after which something is wrong. A loaded machine may take minutes for all. */
const unchangedSeconds = 600;
const pollIntervalMs = 200;
/** Products that one nearby query returns: the API's maximum. */
const nearbyLimit = 100;
/** Wait after the last product is visible, in milliseconds: parent cells publish every few seconds. */
const parentPublishMs = 1000;

/** Returns whether a nearby query at a product's location finds the product. */
async function isVisible(target: ApiTarget, { id, location }: ProductBody): Promise<boolean> {
  if (!location) return true;
  const answer = await fetch(
    `${target.url}/v1/locations/nearby?lat=${location.lat}&lon=${location.lon}&limit=${nearbyLimit}`,
    { headers: { authorization: `Bearer ${target.key}` } },
  ).catch(() => null);
  if (!answer?.ok) return false;
  const { items } = (await answer.json()) as { items: { productId: string; distanceKm: number }[] };
  // A full page of other products at the same location also shows that the cell has published.
  return items.some(({ productId }) => productId === id) || items.length === nearbyLimit;
}

/**
 * Waits until nearby queries find the imported products, since cells publish their tiles with a short delay. Throws if
 * no further product is found for ten minutes.
 */
export async function waitUntilVisible(target: ApiTarget, products: readonly ProductBody[]): Promise<void> {
  const stride = Math.max(1, Math.floor(products.length / sampleSize));
  const missing = products.filter((product, i) => i % stride === 0 && product.available !== false);
  for (let changedAt = Date.now(); missing.length > 0 && Date.now() - changedAt < unchangedSeconds * 1000; )
    if (await isVisible(target, missing[0])) {
      missing.shift();
      changedAt = Date.now();
    } else await sleep(pollIntervalMs);
  await sleep(parentPublishMs);
  if (missing.length > 0)
    throw new Error(
      `Product ${missing[0].id} was imported, but GET /v1/locations/nearby does not return it after ${unchangedSeconds} s. Run the command again; if it fails again, see the log of the workers.`,
    );
}
