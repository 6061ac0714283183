import { applyD1Migrations } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import { ProductStore } from "./store.ts";
import { environment } from "./testing/environment.ts";

const { DB, MIGRATIONS } = environment;
const firstWithMinorUnits = MIGRATIONS.findIndex(({ name }) => name.includes("minor_units"));

beforeAll(() => applyD1Migrations(DB, MIGRATIONS.slice(0, firstWithMinorUnits)));

describe("the migration to minor units", () => {
  it("L3: keeps every amount, and sends the products to the spatial index anew", async () => {
    const before = [
      ["euro", 19.95, "EUR"],
      ["yen", 1995, "JPY"],
      ["dinar", 1.234, "KWD"],
      ["dong", 24_999_001, "VND"],
      ["none", 0.29, null],
      ["unpriced", null, "EUR"],
    ] as const;
    for (const [id, price, currency] of before)
      await DB.prepare(
        `INSERT INTO products VALUES ('shop', ?1, 3, 0, 'Thing', 'cafe', ?2, ?3, 0, NULL, NULL, NULL, 1, '{}', 'world-1', NULL, 1, 1)`,
      )
        .bind(id, price, currency)
        .run();
    await applyD1Migrations(DB, MIGRATIONS);
    const store = new ProductStore(DB);
    const ids = before.map(([id]) => id);
    const stored = new Map(
      (await store.read("shop", ids)).map(({ row }) => [row.productId, [row.priceMinor, row.version]]),
    );
    expect(Object.fromEntries(stored)).toEqual({
      euro: [1995, 4],
      yen: [1995, 4],
      dinar: [1234, 4],
      dong: [24_999_001, 4],
      none: [29, 4],
      unpriced: [null, 3],
    });
    const pending = await store.readPending("shop", ids);
    expect(pending.map(({ row }) => row.productId).sort()).toEqual(["dinar", "dong", "euro", "none", "yen"]);
  });
});
