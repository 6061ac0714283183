import { setTimeout as sleep } from "node:timers/promises";
import type { ProductInput } from "../../shared/contracts/product.ts";
import type { ApiTarget } from "../api/send-with-retries.ts";

/** Products that are looked for, spread over all. */
const sampleSize = 12;
const timeoutSeconds = 60;

/** Whether a product is found where it is. */
async function isVisible(target: ApiTarget, { id, location }: ProductInput): Promise<boolean> {
  if (!location) return true;
  const answer = await fetch(
    `${target.url}/v1/locations/nearby?lat=${location.lat}&lon=${location.lon}&limit=100`,
    { headers: { authorization: `Bearer ${target.key}` } },
  ).catch(() => null);
  if (!answer?.ok) return false;
  const { items } = (await answer.json()) as { items: { productId: string; distanceKm: number }[] };
  // Where a hundred others are at the very place, their being there is proof enough.
  return items.some(({ productId }) => productId === id) || items.length === 100;
}

/** Waits until what was loaded is found by place: cells publish their tiles a moment after they are told. */
export async function waitUntilVisible(target: ApiTarget, products: readonly ProductInput[]): Promise<void> {
  const step = Math.max(1, Math.floor(products.length / sampleSize));
  const open = products.filter((product, i) => i % step === 0 && product.available !== false);
  for (const give = Date.now() + timeoutSeconds * 1000; open.length > 0 && Date.now() < give; ) {
    if (await isVisible(target, open[0])) open.shift();
    else await sleep(200);
  }
  // Parents publish every few seconds: what is popular in the world is then up to date as well.
  await sleep(1000);
  if (open.length > 0)
    throw new Error(`Product ${open[0].id} is not found where it is, a minute after the import.`);
}
