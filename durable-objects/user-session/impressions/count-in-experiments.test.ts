import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StoredType } from "../../../shared/contracts/event.ts";
import { experimentCounts } from "../../../shared/contracts/queues.ts";
import { addStoredCounts, countClosedImpression, storedCountsOf } from "./count-closed-impression.ts";
import { countWorth, noteExposure } from "./count-in-experiments.ts";
import { addMeasures, noMeasures, withPurchase, withRefund } from "./experiment-measures.ts";

const shownAt = Date.parse("2026-01-05T12:00:00Z") / 1000;
const time = new Date(shownAt * 1000).toISOString();
const variant = "layout:1/diverse";
const facts = { priceMinor: 400, currency: "EUR" };

/** Returns a user's counts and the rows that were sent. */
function user() {
  const values = new Map<string, string>();
  const rows: { id: string; counts: object }[] = [];
  const store = {
    getMeta: (name: string) => values.get(name) ?? null,
    setMeta: (name: string, value: string) => void values.set(name, value),
    experimentCounts: () => [...values],
  };
  const purchased = new Map<string, { count: number; first: number; last: number }>();
  const state = {
    profile: { purchased },
    addRow: (_queue: string, id: string, _time: number, body: object | null) => {
      rows.push({ id, counts: (body as { counts: object }).counts });
      return rows.length;
    },
  };
  return {
    rows,
    values,
    expose: (of = variant) => noteExposure(store, { variant: of, time }, shownAt),
    close: (measures?: { diversity: number; latencyMs: number }, of = variant) =>
      countClosedImpression(store, { variant: of, time, measures }, [], shownAt + 1800, 99),
    buy: (after: number, more: object = {}, isVouched = true, type: StoredType = "purchase") => {
      const time = shownAt + after;
      if (type === "purchase") purchased.set("p", { count: 1, first: time, last: time });
      countWorth(store, state, { productId: "p", type, time, facts, ...more }, isVouched, time);
    },
  };
}

describe("the counts of a user in experiments", () => {
  it("sum up lists, purchases and what they were worth, from the first exposure on", () => {
    const ann = user();
    ann.buy(-10);
    ann.expose();
    ann.buy(-5);
    ann.buy(10, { value: { minor: 1995, currency: "EUR" }, quantity: 3 });
    ann.buy(20, { quantity: 2 });
    ann.buy(30, {}, true, "click");
    // Nothing is sent before an exposure has counted.
    expect(ann.rows).toEqual([]);
    const closed = ann.close({ diversity: 0.5, latencyMs: 20 });
    expect(closed?.counts).toEqual({
      ...{ experiment: "layout:1", arm: "diverse", exposures: 1, successes: 0 },
      measures: {
        revision: 3,
        orders: 2,
        units: 5,
        revenue: { EUR: 1995 + 800 },
        diversity: 0.5,
        latencyMs: 20,
      },
    });
    ann.buy(4000, { value: { minor: 100, currency: "JPY" } });
    expect(ann.rows).toEqual([
      {
        id: `counts:${variant}:1:4`,
        counts: {
          ...closed?.counts,
          measures: {
            ...closed?.counts.measures,
            revision: 4,
            orders: 3,
            units: 6,
            revenue: { EUR: 2795, JPY: 100 },
          },
        },
      },
    ]);
    expect(experimentCounts.safeParse(ann.rows[0].counts).success).toBe(true);
  });

  it("take the price of one unit in place of what a user states whom nobody vouches for", () => {
    const ann = user();
    ann.expose();
    ann.buy(10, { value: { minor: 9_999_999, currency: "EUR" }, quantity: 1000 }, false);
    expect(ann.close()?.counts.measures).toMatchObject({ orders: 1, units: 1, revenue: { EUR: 400 } });
  });

  it("are lowered by refunds of purchases that counted, and orders stay", () => {
    const ann = user();
    ann.buy(-10);
    ann.expose();
    // The purchase was before the first exposure.
    ann.buy(5, {}, true, "refund");
    ann.buy(10, { value: { minor: 1995, currency: "EUR" }, quantity: 3 });
    ann.buy(20, { value: { minor: 500, currency: "EUR" } }, true, "refund");
    ann.buy(30, { productId: "never bought" }, true, "refund");
    ann.buy(40, { value: { minor: 500, currency: "JPY" } }, true, "refund");
    const measures = { orders: 1, units: 2, revenue: { EUR: 1495 }, revision: 3 };
    expect(ann.close()?.counts.measures).toMatchObject(measures);
    ann.buy(50, { value: { minor: 9_999_999, currency: "EUR" } }, true, "refund");
    expect(ann.rows.at(-1)?.counts).toMatchObject({ measures: { orders: 1, units: 1, revenue: { EUR: 0 } } });
  });

  it("note only the first exposure, and none for the rollout of a model", () => {
    const ann = user();
    ann.expose(`rollout:v2/canary,${variant},prices:2/low`);
    expect([...ann.values.keys()]).toEqual([`counts:${variant}`, "counts:prices:2/low"]);
    ann.buy(10);
    ann.expose();
    expect(ann.close()?.counts.measures?.orders).toBe(1);
    expect(ann.close(undefined, "rollout:v2/canary")?.counts.measures).toBeUndefined();
  });

  it("are those of both users after a merge", () => {
    const [ann, ben] = [user(), user()];
    ann.expose();
    ann.buy(10);
    ann.close({ diversity: 1, latencyMs: 5 });
    ben.expose();
    ben.buy(20);
    ben.buy(30);
    const both = addStoredCounts(
      ann.values.get(`counts:${variant}`) ?? null,
      ben.values.get(`counts:${variant}`) ?? "",
    );
    expect(both).toMatchObject({
      exposures: 1,
      measures: { orders: 3, units: 3, revision: 4, revenue: { EUR: 1200 } },
    });
    // Counts of the release before have no measures.
    expect(
      addStoredCounts('{"exposures":2,"successes":1}', ben.values.get(`counts:${variant}`) ?? ""),
    ).toMatchObject({
      ...{ exposures: 2, measures: { orders: 2 } },
    });
    expect(storedCountsOf(null).measures).toBeUndefined();
  });
});

describe("withRefund", () => {
  it("undoes a purchase, and never leaves less than nothing", () => {
    const amounts = fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 5 });
    const event = (minor: number) => ({ time: 10, value: { minor, currency: "EUR" }, facts });
    fc.assert(
      fc.property(amounts, amounts, (bought, refunded) => {
        let measures = noMeasures(0);
        for (const minor of bought) measures = withPurchase(measures, event(minor), true) ?? measures;
        const sum = measures.revenue.EUR;
        const undone = withRefund(measures, event(bought[0]), 10, true);
        expect(undone?.revenue.EUR).toBe(sum - bought[0]);
        for (const minor of refunded) measures = withRefund(measures, event(minor), 10, true) ?? measures;
        expect(measures.revenue.EUR).toBe(Math.max(0, sum - refunded.reduce((all, each) => all + each, 0)));
        expect([measures.orders, measures.units >= 0]).toEqual([bought.length, true]);
      }),
    );
  });
});

describe("addMeasures", () => {
  it("adds up in any order, and keeps at most four currencies", () => {
    const measures = fc
      .record({
        time: fc.nat(100),
        minor: fc.nat(10_000),
        currency: fc.constantFrom("EUR", "JPY", "USD", "KWD"),
      })
      .map(({ minor, currency, ...at }) =>
        withPurchase(noMeasures(0), { ...at, value: { minor, currency }, facts }, true),
      )
      .map((each) => each ?? noMeasures(0));
    fc.assert(
      fc.property(measures, measures, measures, (a, b, c) => {
        expect(addMeasures(addMeasures(a, b), c)).toEqual(addMeasures(a, addMeasures(c, b)));
      }),
    );
    const currencies = ["AAA", "BBB", "CCC", "DDD", "EEE"].map((currency) => ({
      ...noMeasures(0),
      revenue: { [currency]: 1 },
    }));
    expect(Object.keys(currencies.reduce(addMeasures).revenue)).toHaveLength(4);
  });
});
