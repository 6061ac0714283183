import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { currencyDigits } from "../../shared/contracts/currency-digits.ts";
import type { NearbyQuery } from "../../shared/contracts/location.ts";
import type { Point } from "../../shared/contracts/primitives.ts";
import type { ProductChange } from "../../shared/contracts/product.ts";
import { unwrap } from "../../shared/contracts/result.ts";
import { worldCell } from "../../shared/geo/cells.ts";
import { LocationService } from "./service.ts";
import { TestIndex, tilesUnder } from "./testing/test-index.ts";

const oslo = { lat: 59.91, lon: 10.75 };
const tokyo = { lat: 35.6895, lon: 139.6917 };
const pacific = { lat: 0, lon: -140 };

const service = () => new LocationService(createExecutionContext(), env as never);

/** Returns an application with a product at a point for each change, named `p0`, `p1`, ... */
async function put(
  application: string,
  location: Point | null,
  ...products: Partial<ProductChange>[]
): Promise<void> {
  const index = new TestIndex(application);
  await index.put(products.map((more, i) => ({ ...more, id: `p${i}`, location })));
  // A shard that has not published yet is unknown to the world's tile, and so to the search for cells with an alarm.
  const visibleProducts = async (): Promise<number> => {
    await index.runAlarmsUntilIdle(worldCell);
    const tiles = await tilesUnder(application, worldCell);
    return tiles.reduce((sum, { meta, count }) => sum + (meta.children.length === 0 ? count : 0), 0);
  };
  await vi.waitUntil(async () => (await visibleProducts()) === products.length, { timeout: 20_000 });
}

const nearby = async (application: string, query: Partial<NearbyQuery>) =>
  unwrap(
    await service().nearby(application, { point: oslo, limit: 10, filter: {}, ...query }),
    "the location service",
  );

describe("prices in LocationService.nearby", () => {
  it("L13: shows the currency beside each exact price, and the group", async () => {
    await put(
      "shown",
      oslo,
      { priceMinor: 1995, currency: "NOK", discount: 0.7 },
      { priceMinor: 24_999_001, currency: "VND", groupId: "shirt-7" },
      { priceMinor: 1234, currency: "KWD" },
      { priceMinor: 1995, currency: null },
      { priceMinor: null },
    );
    const { items, filter } = await nearby("shown", {});
    const shown = new Map(
      items.map(({ productId, price, currency, discount, groupId }) => [
        productId,
        [price, currency, discount, groupId],
      ]),
    );
    expect([...shown].sort()).toEqual([
      ["p0", [19.95, "NOK", 0.7, null]],
      ["p1", [24_999_001, "VND", 0, "shirt-7"]],
      ["p2", [1.234, "KWD", 0, null]],
      ["p3", [19.95, null, 0, null]],
      ["p4", [null, "NOK", 0, null]],
    ]);
    expect(filter).toBeUndefined();
  });

  it("L3: applies a price to the currency of the place or the named one, and says which", async () => {
    await put(
      "filtered",
      oslo,
      { priceMinor: 1995, currency: "NOK" },
      { priceMinor: 1995, currency: "EUR" },
      { priceMinor: 1995, currency: null },
      { priceMinor: 1996, currency: "NOK" },
    );
    const found = async (filter: NearbyQuery["filter"]) => {
      const { items, filter: said } = await nearby("filtered", { filter });
      return [items.map(({ productId }) => productId).sort(), said];
    };
    expect(await found({ priceMin: 19.95, priceMax: 19.95 })).toEqual([["p0", "p2"], { currency: "NOK" }]);
    expect(await found({ priceMax: 19.95, currency: "EUR" })).toEqual([["p1", "p2"], { currency: "EUR" }]);
    expect(await found({ discountMin: 0 })).toEqual([["p0", "p1", "p2", "p3"], undefined]);
  });
});

describe("LocationService.filterCurrency", () => {
  it("L3: returns the country's currency, else that of most products, else null", async () => {
    await put(
      "usual",
      null,
      { currency: "EUR" },
      { currency: "SEK" },
      { currency: "SEK" },
      { currency: null },
    );
    const of = async (application: string, point: Point | null) =>
      unwrap(await service().filterCurrency(application, point), "the location service");
    expect([await of("usual", oslo), await of("usual", tokyo)]).toEqual(["NOK", "JPY"]);
    expect([await of("usual", pacific), await of("usual", null)]).toEqual(["SEK", "SEK"]);
    expect([await of("empty", null), await of("empty", oslo)]).toEqual([null, "NOK"]);
  });
});

describe("workerd", () => {
  it("L3: shows no more digits of a currency than are stored", () => {
    const codes = Intl.supportedValuesOf("currency");
    expect(codes.length).toBeGreaterThan(100);
    expect(["JPY", "EUR", "KWD"].map((code) => currencyDigits(code))).toEqual([0, 2, 3]);
    for (const code of codes) {
      const format = new Intl.NumberFormat("en", { style: "currency", currency: code });
      expect(currencyDigits(code), code).toBeGreaterThanOrEqual(
        format.resolvedOptions().maximumFractionDigits as number,
      );
    }
  });
});
