import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import type { NearbyQuery } from "../../shared/contracts/location.ts";
import { worldCell } from "../../shared/geo/cells.ts";
import { LocationService } from "./service.ts";
import { TestIndex, tilesUnder } from "./testing/test-index.ts";

const oslo = { lat: 59.91, lon: 10.75 };
const application = "expressions";

/** Returns the answer of the service to a query by an expression. */
const nearby = (filter: NearbyQuery["filter"]) =>
  new LocationService(createExecutionContext(), env as never).nearby(application, {
    ...{ point: oslo, limit: 10, filter },
  });

it("finds the products that meet a condition, in the currency of the place, and refuses a wrong one", async () => {
  const index = new TestIndex(application);
  await index.put([
    { id: "near", location: oslo, priceMinor: 1000, currency: "NOK" },
    { id: "dear", location: oslo, priceMinor: 90_000, currency: "NOK" },
    { id: "euro", location: oslo, priceMinor: 1000, currency: "EUR" },
    { id: "far", location: { lat: 59.99, lon: 10.75 }, priceMinor: 1000, currency: "NOK" },
  ]);
  await vi.waitUntil(
    async () => {
      await index.runAlarmsUntilIdle(worldCell);
      const tiles = await tilesUnder(application, worldCell);
      return tiles.reduce((sum, { meta, count }) => sum + (meta.children.length === 0 ? count : 0), 0) === 4;
    },
    { timeout: 20_000 },
  );
  const found = async (filter: NearbyQuery["filter"]) => {
    const answer = await nearby(filter);
    if (!answer.ok) throw new Error(answer.error.detail);
    const { items, searched, filter: said } = answer.value;
    return { ids: items.map(({ productId }) => productId).sort(), searched, said };
  };
  expect(await found({ expression: "product.price < 20.0" })).toEqual({
    ...{ ids: ["far", "near"], said: { currency: "NOK" } },
    searched: { radiusKm: 20_038, complete: true },
  });
  expect(await found({ expression: "product.price < 20.0 && distanceKm <= 3.0" })).toEqual({
    ...{ ids: ["near"], said: { currency: "NOK" }, searched: { radiusKm: 3, complete: true } },
  });
  expect((await found({ expression: "product.price < 20.0", currency: "EUR" })).ids).toEqual(["euro"]);
  expect((await found({ expression: '!(product.id in ["near", "far"])' })).ids).toEqual(["dear", "euro"]);
  expect(await nearby({ expression: "user.choices > 1" })).toMatchObject({
    ok: false,
    error: {
      code: "invalid_input",
      issues: [{ path: "expression", position: { line: 1, column: 1, length: 12 } }],
    },
  });
});
