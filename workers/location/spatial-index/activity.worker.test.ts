import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { expect, it } from "vitest";
import { ActivityStore } from "../../../durable-objects/cell/activity-store.ts";
import type { TransitionDelta } from "../../../durable-objects/cell/pending-deltas.ts";
import { CellStore } from "../../../durable-objects/cell/cell-store.ts";
import { cellStub } from "../../../durable-objects/cell/cell-stub.ts";
import type { Cell } from "../../../durable-objects/cell.ts";
import type { CellProduct } from "../../../model/retrieval/cell-product.ts";
import type { ProductChange } from "../../../shared/contracts/product.ts";
import { emptyTotals, sumTotals, type ProductTotals } from "../../../shared/contracts/totals.ts";
import { leafCellAt } from "../../../shared/geo/cells.ts";

const environment: { CELL: DurableObjectNamespace<Cell> } = Object.assign({ CELL: {} as never }, env);
const leaf = leafCellAt({ lat: 59.91, lon: 10.75 }, 0);

/** Products that the cell has. */
const ids = ["a", "b", "c", ...Array.from({ length: 30 }, (_, n) => `p${n}`)];
const change = (productId: string): ProductChange => ({
  ...{ productId, version: 1, deleted: false, title: productId, category: "cafe", price: 4, currency: "NOK" },
  ...{ discount: 0, rating: null, available: true, previousCell: null, createdAt: 1 },
  location: { lat: 59.91, lon: 10.75 },
});

/** Runs over the tables of a new object; `fresh` reads them anew, as an object does that was away. */
const inObject = (
  name: string,
  run: (fresh: () => ActivityStore, knownTo: (activity: ActivityStore, id: string) => CellProduct) => void,
): Promise<void> =>
  runInDurableObject(cellStub(environment.CELL, name, leaf), (_object, { storage }) => {
    const store = new CellStore(storage.sql);
    store.createTables();
    new ActivityStore(storage.sql).createTables();
    for (const id of ids) store.putProduct(change(id));
    run(
      () => new ActivityStore(storage.sql),
      (activity, id) => {
        const found = [...store.products(activity)].find((each) => each.change.productId === id);
        if (!found) throw new Error(`${id} is not there`);
        return found;
      },
    );
  });

const totals = (productId: string, views: number, hour = 0, whole = true): ProductTotals => ({
  ...{ productId, complete: whole },
  hours: [{ ...emptyTotals(), view: views, hour }],
});
const step = (key: number, time: number, from: string, to: string): TransitionDelta => ({
  ...{ key, time, from, to },
  ...{ toCell: leaf, weight: 1 },
});

const product = fc.constantFrom("a", "b", "c");
/** A call tells views by product and hour, and events by number: each has a time, and makes the same step whenever it comes. */
const call = fc.record({
  kind: fc.constant("call" as const),
  totals: fc.array(fc.tuple(product, fc.integer({ min: 1, max: 20 }), fc.nat({ max: 3 }), fc.boolean()), {
    maxLength: 3,
  }),
  events: fc.array(fc.nat({ max: 12 }), { maxLength: 4 }),
  wait: fc.boolean(),
});
const other = fc.constantFrom({ kind: "settle" as const }, { kind: "away" as const });

it("counts what it is told once, whether it waits or is folded, and whoever was away meanwhile", async () => {
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof({ weight: 4, arbitrary: call }, other), { maxLength: 25 }),
      async (doings) => {
        await inObject(`property-${runs++}`, (fresh, knownTo) => {
          let activity = fresh();
          const views = new Map<string, Map<number, number>>();
          const steps = new Map<number, TransitionDelta>();
          let sum = 0;
          doings.forEach((doing, i) => {
            if (doing.kind === "away") activity = fresh();
            else if (doing.kind === "settle") activity.compact(i);
            else {
              const told = doing.events.map((n) => step(n, 100 * n, "abc"[n % 3], "abc"[(n + 1) % 3]));
              const list = doing.totals.map(([id, n, hour, whole]) => totals(id, n, hour, whole));
              const { counted, unknown } = activity.apply(list, told, i, doing.wait);
              sum += counted;
              const refused = new Set<string>();
              for (const [id, n, hour, whole] of doing.totals) {
                // A product of which nothing is known must be told whole.
                if (!whole && !views.has(id)) {
                  refused.add(id);
                  continue;
                }
                const hours = views.get(id) ?? new Map<number, number>();
                views.set(id, hours.set(hour, Math.max(hours.get(hour) ?? 0, n)));
              }
              expect(new Set(unknown)).toEqual(refused);
              for (const each of told) steps.set(each.key, each);
            }
            for (const [id, hours] of views)
              expect(knownTo(activity, id).hours.map(({ hour, view }) => [hour, view])).toEqual(
                [...hours].sort(([a], [b]) => a - b),
              );
            const weights = ["a", "b", "c"].flatMap((from) =>
              knownTo(activity, from).nextProducts.map(
                ({ productId, weight }) => `${from}>${productId}:${weight}`,
              ),
            );
            const expected = new Map<string, number>();
            for (const { from, to } of steps.values())
              expected.set(`${from}>${to}`, (expected.get(`${from}>${to}`) ?? 0) + 1);
            expect(weights.sort()).toEqual([...expected].map(([pair, weight]) => `${pair}:${weight}`).sort());
          });
          const all = [...views.values()].flatMap((hours) => [...hours.values()]);
          expect(sum).toBe(all.reduce((one, other) => one + other, 0));
        });
      },
    ),
    { numRuns: 60 },
  );
});

it("folds what waits before it grows without bound, and knows thousands of events again", async () => {
  await inObject("many", (fresh, knownTo) => {
    const activity = fresh();
    const keys = Array.from({ length: 10_000 }, (_, n) => n);
    for (let n = 0; n < keys.length; n += 10)
      activity.apply(
        [],
        keys.slice(n, n + 10).map((key) => step(key, key, "a", "b")),
        n,
        true,
      );
    expect(activity.compactions).toBeGreaterThan(0);
    const again = fresh();
    again.apply(
      [],
      keys.map((key) => step(key, key, "a", "b")),
      0,
      true,
    );
    expect(knownTo(again, "a").nextProducts).toEqual([{ productId: "b", cell: leaf, weight: 10_000 }]);
  });
});

it("keeps the strongest 64 followers of a product, and forgets keys to which none was added for two weeks", async () => {
  await inObject("pruned", (fresh, knownTo) => {
    const activity = fresh();
    const all = Array.from({ length: 70 }, (_, n) => ({ ...step(n, n, "a", `p${n}`), weight: n + 1 }));
    activity.apply([], all, 0, false);
    const nextProducts = knownTo(activity, "a").nextProducts;
    expect(nextProducts.map(({ weight }) => weight)).toEqual(Array.from({ length: 64 }, (_, n) => 70 - n));
    activity.pruneKeys(14 * 86_400);
    expect(activity.apply([], all.slice(-1), 1, false).keyChunks).toEqual([]);
    activity.pruneKeys(14 * 86_400 + 1);
    expect(activity.apply([], all.slice(-1), 1, false).keyChunks).toEqual([1]);
  });
});

it("folds at once what is more than a row may hold", async () => {
  await inObject("large", (fresh, knownTo) => {
    const activity = fresh();
    const past = Array.from({ length: 2000 }, (_, hour) => ({ ...emptyTotals(), view: 1, hour }));
    const all = Array.from({ length: 30 }, (_, n) => ({ ...totals(`p${n}`, 1), hours: past }));
    activity.apply([totals("p0", 1)], [], 0, true);
    expect(activity.apply(all, [], 1, true).counted).toBe(30 * 2000 - 1);
    const again = fresh();
    expect(again.countedAfter(0)).toBe(0);
    for (const { productId } of all) expect(knownTo(again, productId).hours).toHaveLength(2000);
  });
});

it("knows nothing any more of a product that left, also of what waits", async () => {
  await inObject("left", (fresh, knownTo) => {
    const activity = fresh();
    activity.apply([totals("a", 3), totals("b", 2)], [], 0, false);
    activity.apply([totals("a", 4, 1, false)], [], 1, true);
    activity.deleteHours(["a"], 2);
    expect(knownTo(activity, "a").hours).toEqual([]);
    expect(activity.apply([totals("a", 5, 1, false), totals("b", 9, 7, false)], [], 3, true)).toMatchObject({
      counted: 9,
      unknown: ["a"],
    });
    expect(knownTo(fresh(), "b").hours).toHaveLength(2);
  });
});

it("adds up what is older than a row can hold, and then takes what is old only with all the rest", async () => {
  await inObject("old", (fresh, knownTo) => {
    const past = (count: number): ProductTotals => ({
      ...{ productId: "a", complete: true },
      hours: Array.from({ length: count }, (_, n) => ({ ...emptyTotals(), view: 1, hour: 400_000 + n })),
    });
    const views = (activity: ActivityStore) => sumTotals(knownTo(activity, "a").hours).view;
    const activity = fresh();
    expect(activity.apply([past(10_001)], [], 0, false).counted).toBe(10_001);
    expect(knownTo(activity, "a").hours.length).toBe(168 + 9000);
    expect(views(activity)).toBe(10_001);
    // What is new is counted as ever.
    const told = (hour: number) => activity.apply([totals("a", 2, hour, false)], [], 1, true);
    expect(told(410_000)).toMatchObject({ counted: 1, unknown: [] });
    expect(told(410_000)).toMatchObject({ counted: 0, unknown: [] });
    expect(told(400_000)).toMatchObject({ counted: 0, unknown: ["a"] });
    expect(activity.apply([past(10_002)], [], 2, true).counted).toBe(0);
    expect(activity.apply([past(10_005)], [], 3, true).counted).toBe(3);
    expect(views(fresh())).toBe(10_005);
    // What is in doubt stays so, however long it is.
    activity.apply([{ ...totals("b", 1), hours: past(9999).hours, productId: "b" }], [], 4, false);
    activity.apply([totals("b", 1, 409_999, false), totals("b", 1, 410_000, false)], [], 5, true);
    activity.markHoursIncomplete(["b"], 6);
    expect(knownTo(activity, "b").hours.length).toBe(168 + 9000);
    expect(activity.apply([totals("b", 2, 410_000, false)], [], 7, true).unknown).toEqual(["b"]);
  });
});
