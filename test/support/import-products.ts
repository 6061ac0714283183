import { expect } from "vitest";
import type * as z from "zod";
import type { NearbyAnswer } from "../../shared/contracts/location.ts";
import type { Point } from "../../shared/contracts/primitives.ts";
import type { BulkReport, productInput } from "../../shared/contracts/product.ts";
import { ndjsonHeaders, toNdjson } from "./ndjson.ts";
import { pollUntil } from "./polling.ts";
import type { TestStack } from "./test-stack.ts";

type Products = z.input<typeof productInput>[];

/** Imports products through the API. Fails unless the API accepts all of them. */
export async function importProducts(stack: TestStack, products: Products): Promise<void> {
  const { status, body } = await stack.call<BulkReport>("POST", "/v1/products/bulk", {
    body: toNdjson(products),
    headers: ndjsonHeaders,
  });
  expect([status, body.accepted, body.rejected], JSON.stringify(body)).toEqual([200, products.length, 0]);
}

/**
 * Waits until the cells around a center return all of the given products, and returns their ids, nearest first. Parent cells
 * publish every few seconds; until then farther products take the place of missing ones.
 */
export async function waitForNearbyProducts(
  stack: TestStack,
  { lat, lon }: Point,
  products: Products,
): Promise<string[]> {
  const expectedIds = new Set(products.map(({ id }) => id));
  const path = `/v1/locations/nearby?lat=${lat}&lon=${lon}&limit=${expectedIds.size}`;
  const nearbyIds = await pollUntil(
    async () => {
      const { body } = await stack.call<NearbyAnswer>("GET", path);
      return (body.items ?? []).map(({ productId }) => productId);
    },
    (ids) => ids.length === expectedIds.size && ids.every((id) => expectedIds.has(id)),
  );
  expect(new Set(nearbyIds)).toEqual(expectedIds);
  return nearbyIds;
}

/**
 * Starts a stack with products around a center, all of which the cells return. Returns the ids of the products, nearest
 * first.
 */
export async function startWithProducts(
  stack: TestStack,
  center: Point,
  products: Products,
): Promise<string[]> {
  await stack.start();
  await importProducts(stack, products);
  return waitForNearbyProducts(stack, center, products);
}
