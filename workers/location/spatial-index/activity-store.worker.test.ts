import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { expect, it } from "vitest";
import { ActivityStore } from "../../../durable-objects/cell/activity-store.ts";
import type { Cell } from "../../../durable-objects/cell/cell.ts";
import { CellStore } from "../../../durable-objects/cell/cell-store.ts";
import { cellStub } from "../../../durable-objects/cell/cell-stub.ts";
import type { TransitionDelta } from "../../../durable-objects/cell/pending-deltas.ts";
import type { CellProduct } from "../../../model/tiles/cell-product.ts";
import type { ProductChange } from "../../../shared/contracts/product.ts";
import { emptyTotals, type ProductTotals, sumTotals } from "../../../shared/contracts/totals.ts";
import { leafCellAt } from "../../../shared/geo/cells.ts";

const environment: { CELL: DurableObjectNamespace<Cell> } = Object.assign({ CELL: {} as never }, env);
const leaf = leafCellAt({ lat: 59.91, lon: 10.75 }, 0);

/** Products in the cell. */
const ids = ["a", "b", "c", ...Array.from({ length: 30 }, (_, n) => `p${n}`)];
const change = (productId: string): ProductChange => ({
  productId,
  version: 1,
  deleted: false,
  title: productId,
  category: "cafe",
  priceMinor: 400,
  currency: "NOK",
  discount: 0,
  rating: null,
  available: true,
  groupId: null,
  previousCell: null,
  createdAt: 1,
  location: { lat: 59.91, lon: 10.75 },
});

/**
 * Calls `run` in a new cell object with its tables. `fresh` returns a store with empty memory, as after an eviction.
 */
const inObject = (
  name: string,
  run: (fresh: () => ActivityStore, productIn: (activity: ActivityStore, id: string) => CellProduct) => void,
  minUsers = 1,
): Promise<void> =>
  runInDurableObject(cellStub(environment.CELL, name, leaf), (_object, { storage }) => {
    const store = new CellStore(storage.sql);
    store.createTables();
    new ActivityStore(storage.sql, minUsers).createTables();
    for (const id of ids) store.putProduct(change(id));
    run(
      () => new ActivityStore(storage.sql, minUsers),
      (activity, id) => {
        const found = [...store.products(activity)].find((each) => each.change.productId === id);
        if (!found) throw new Error(`the cell has no product ${id}`);
        return found;
      },
    );
  });

const totals = (productId: string, views: number, hour = 0, complete = true): ProductTotals => ({
  productId,
  complete,
  hours: [{ ...emptyTotals(), view: views, hour }],
});
const delta = (key: number, time: number, from: string, to: string, user = key): TransitionDelta => ({
  key,
  user,
  time,
  from,
  to,
  toCell: leaf,
  weight: 1,
});

const product = fc.constantFrom("a", "b", "c");
/** A call with views by product and hour, and events by number: an event has a fixed time and a fixed transition. */
const call = fc.record({
  kind: fc.constant("call" as const),
  totals: fc.array(fc.tuple(product, fc.integer({ min: 1, max: 20 }), fc.nat({ max: 3 }), fc.boolean()), {
    maxLength: 3,
  }),
  events: fc.array(fc.nat({ max: 12 }), { maxLength: 4 }),
  defer: fc.boolean(),
});
const other = fc.constantFrom({ kind: "compact" as const }, { kind: "evict" as const });

it("counts each event once, pending or compacted, also after evictions", async () => {
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof({ weight: 4, arbitrary: call }, other), { maxLength: 25 }),
      async (actions) => {
        await inObject(`property-${runs++}`, (fresh, productIn) => {
          let activity = fresh();
          const views = new Map<string, Map<number, number>>();
          const transitions = new Map<number, TransitionDelta>();
          let sum = 0;
          actions.forEach((action, i) => {
            if (action.kind === "evict") activity = fresh();
            else if (action.kind === "compact") activity.compact(i);
            else {
              const deltas = action.events.map((n) => delta(n, 100 * n, "abc"[n % 3], "abc"[(n + 1) % 3]));
              const list = action.totals.map(([id, n, hour, complete]) => totals(id, n, hour, complete));
              const { counted, unknown } = activity.apply(list, deltas, i, action.defer);
              sum += counted;
              const refused = new Set<string>();
              for (const [id, n, hour, complete] of action.totals) {
                // A product without counts needs its complete hours.
                if (!complete && !views.has(id)) {
                  refused.add(id);
                  continue;
                }
                const hours = views.get(id) ?? new Map<number, number>();
                views.set(id, hours.set(hour, Math.max(hours.get(hour) ?? 0, n)));
              }
              expect(new Set(unknown)).toEqual(refused);
              for (const each of deltas) transitions.set(each.key, each);
            }
            for (const [id, hours] of views)
              expect(productIn(activity, id).hours.map(({ hour, view }) => [hour, view])).toEqual(
                [...hours].sort(([a], [b]) => a - b),
              );
            const weights = ["a", "b", "c"].flatMap((from) =>
              productIn(activity, from).nextProducts.map(
                ({ productId, weight }) => `${from}>${productId}:${weight}`,
              ),
            );
            const expected = new Map<string, number>();
            for (const { from, to } of transitions.values())
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

it("compacts pending deltas in time, and recognizes thousands of repeated events", async () => {
  await inObject("many", (fresh, productIn) => {
    const activity = fresh();
    const keys = Array.from({ length: 10_000 }, (_, n) => n);
    for (let n = 0; n < keys.length; n += 10)
      activity.apply(
        [],
        keys.slice(n, n + 10).map((key) => delta(key, key, "a", "b")),
        n,
        true,
      );
    expect(activity.compactions).toBeGreaterThan(0);
    const again = fresh();
    again.apply(
      [],
      keys.map((key) => delta(key, key, "a", "b")),
      0,
      true,
    );
    expect(productIn(again, "a").nextProducts).toEqual([{ productId: "b", cell: leaf, weight: 10_000 }]);
  });
});

it("keeps the 64 strongest next products of a product, and removes key chunks after two weeks without additions", async () => {
  await inObject("pruned", (fresh, productIn) => {
    const activity = fresh();
    const all = Array.from({ length: 70 }, (_, n) => ({ ...delta(n, n, "a", `p${n}`), weight: n + 1 }));
    activity.apply([], all, 0, false);
    const nextProducts = productIn(activity, "a").nextProducts;
    expect(nextProducts.map(({ weight }) => weight)).toEqual(Array.from({ length: 64 }, (_, n) => 70 - n));
    activity.pruneKeys(14 * 86_400);
    expect(activity.apply([], all.slice(-1), 1, false).keyChunks).toEqual([]);
    activity.pruneKeys(14 * 86_400 + 1);
    expect(activity.apply([], all.slice(-1), 1, false).keyChunks).toEqual([1]);
  });
});

it("compacts deltas at once if they exceed a row", async () => {
  await inObject("large", (fresh, productIn) => {
    const activity = fresh();
    const past = Array.from({ length: 2000 }, (_, hour) => ({ ...emptyTotals(), view: 1, hour }));
    const all = Array.from({ length: 30 }, (_, n) => ({ ...totals(`p${n}`, 1), hours: past }));
    activity.apply([totals("p0", 1)], [], 0, true);
    expect(activity.apply(all, [], 1, true).counted).toBe(30 * 2000 - 1);
    const again = fresh();
    expect(again.countedAfter(0)).toBe(0);
    for (const { productId } of all) expect(productIn(again, productId).hours).toHaveLength(2000);
  });
});

it("deletes the counts of a product that left, including pending deltas", async () => {
  await inObject("left", (fresh, productIn) => {
    const activity = fresh();
    activity.apply([totals("a", 3), totals("b", 2)], [], 0, false);
    activity.apply([totals("a", 4, 1, false)], [], 1, true);
    activity.deleteHours(["a"], 2);
    expect(productIn(activity, "a").hours).toEqual([]);
    expect(activity.apply([totals("a", 5, 1, false), totals("b", 9, 7, false)], [], 3, true)).toMatchObject({
      counted: 9,
      unknown: ["a"],
    });
    expect(productIn(fresh(), "b").hours).toHaveLength(2);
  });
});

it("adds up old hours that exceed a row, and then accepts old hours only in complete totals", async () => {
  await inObject("old", (fresh, productIn) => {
    const past = (count: number): ProductTotals => ({
      productId: "a",
      complete: true,
      hours: Array.from({ length: count }, (_, n) => ({ ...emptyTotals(), view: 1, hour: 400_000 + n })),
    });
    const views = (activity: ActivityStore) => sumTotals(productIn(activity, "a").hours).view;
    const activity = fresh();
    expect(activity.apply([past(10_001)], [], 0, false).counted).toBe(10_001);
    expect(productIn(activity, "a").hours.length).toBe(168 + 9000);
    expect(views(activity)).toBe(10_001);
    // New hours are counted as before.
    const apply = (hour: number) => activity.apply([totals("a", 2, hour, false)], [], 1, true);
    expect(apply(410_000)).toMatchObject({ counted: 1, unknown: [] });
    expect(apply(410_000)).toMatchObject({ counted: 0, unknown: [] });
    expect(apply(400_000)).toMatchObject({ counted: 0, unknown: ["a"] });
    expect(activity.apply([past(10_002)], [], 2, true).counted).toBe(0);
    expect(activity.apply([past(10_005)], [], 3, true).counted).toBe(3);
    expect(views(fresh())).toBe(10_005);
    // Incomplete hours stay incomplete, also if they exceed a row.
    activity.apply([{ ...totals("b", 1), hours: past(9999).hours, productId: "b" }], [], 4, false);
    activity.apply([totals("b", 1, 409_999, false), totals("b", 1, 410_000, false)], [], 5, true);
    activity.markHoursIncomplete(["b"], 6);
    expect(productIn(activity, "b").hours.length).toBe(168 + 9000);
    expect(activity.apply([totals("b", 2, 410_000, false)], [], 7, true).unknown).toEqual(["b"]);
  });
});

it("S5: shows a next product only after enough different users, pending or compacted, and after an eviction", async () => {
  await inObject(
    "hidden",
    (fresh, productIn) => {
      const shown = () => productIn(fresh(), "a").nextProducts;
      const apply = (key: number, user: number, defer: boolean) =>
        fresh().apply([], [delta(key, key, "a", "b", user)], key, defer);
      for (let key = 0; key < 50; key++) apply(key, 7, key % 2 === 0);
      apply(50, 8, true);
      expect(shown()).toEqual([]);
      apply(51, 9, true);
      expect(shown()).toEqual([{ productId: "b", cell: leaf, weight: 52 }]);
      fresh().compact(60);
      expect(shown()).toEqual([{ productId: "b", cell: leaf, weight: 52 }]);
      apply(52, 7, false);
      expect(shown()).toEqual([{ productId: "b", cell: leaf, weight: 53 }]);
    },
    3,
  );
});

it("S5: keeps what many users chose next, whatever one user adds", async () => {
  await inObject(
    "crowded",
    (fresh, productIn) => {
      const activity = fresh();
      activity.apply(
        [],
        [0, 1, 2].map((user) => delta(user, 0, "a", "b", user)),
        0,
        false,
      );
      const invented = Array.from({ length: 80 }, (_, n) => ({
        ...delta(10 + n, 0, "a", `p${n}`, 9),
        weight: 99,
      }));
      activity.apply([], invented, 0, false);
      expect(productIn(activity, "a").nextProducts).toEqual([{ productId: "b", cell: leaf, weight: 3 }]);
    },
    3,
  );
});
