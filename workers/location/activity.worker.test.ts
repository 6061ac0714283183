import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Activity, type Step } from "../../durable-objects/cell/activity.ts";
import { type Cell, cellOf } from "../../durable-objects/cell.ts";
import { emptyTotals, type ProductTotals } from "../shared/contracts/totals.ts";
import { leafCellOf } from "../shared/geo/cells.ts";

const environment: { CELL: DurableObjectNamespace<Cell> } = Object.assign({ CELL: {} as never }, env);
const leaf = leafCellOf({ lat: 59.91, lon: 10.75 }, 0);

/** Runs over the tables of a new object; `again` reads them anew, as an object does that was away. */
const inObject = (name: string, run: (activity: () => Activity) => void): Promise<void> =>
  runInDurableObject(cellOf(environment.CELL, name, leaf), (_object, { storage }) => {
    new Activity(storage.sql).migrate();
    run(() => new Activity(storage.sql));
  });

const totals = (productId: string, version: number): ProductTotals => ({
  ...{ productId, version, hours: [] },
  lifetime: { ...emptyTotals(), view: version },
});
const step = (key: number, time: number, from: string, to: string): Step => ({
  ...{ key, time, from, to },
  ...{ toCell: leaf, weight: 1 },
});

const product = fc.constantFrom("a", "b", "c");
/** A call tells totals, and events by number: each has a time, and makes the same step whenever it comes. */
const call = fc.record({
  kind: fc.constant("call" as const),
  totals: fc.array(fc.tuple(product, fc.nat({ max: 20 })), { maxLength: 3 }),
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
        await inObject(`property-${runs++}`, (fresh) => {
          let activity = fresh();
          const versions = new Map<string, number>();
          const steps = new Map<number, Step>();
          let sum = 0;
          doings.forEach((doing, i) => {
            if (doing.kind === "away") activity = fresh();
            else if (doing.kind === "settle") activity.settle(i);
            else {
              const told = doing.events.map((n) => step(n, 100 * n, "abc"[n % 3], "abc"[(n + 1) % 3]));
              const list = doing.totals.map(([id, version]) => totals(id, version));
              sum += activity.take(list, told, i, doing.wait).counted;
              for (const [id, version] of doing.totals)
                versions.set(id, Math.max(versions.get(id) ?? 0, version));
              for (const each of told) steps.set(each.key, each);
            }
            const known = activity.byProduct();
            for (const [id, version] of versions) expect(known.get(id)?.totals?.version).toBe(version);
            const weights = [...known].flatMap(([from, { followers }]) =>
              followers.map(({ productId, weight }) => `${from}>${productId}:${weight}`),
            );
            const expected = new Map<string, number>();
            for (const { from, to } of steps.values())
              expected.set(`${from}>${to}`, (expected.get(`${from}>${to}`) ?? 0) + 1);
            expect(weights.sort()).toEqual([...expected].map(([pair, weight]) => `${pair}:${weight}`).sort());
          });
          expect(sum).toBe([...versions.values()].reduce((all, version) => all + version, 0));
        });
      },
    ),
    { numRuns: 60 },
  );
});

it("folds what waits before it grows without bound, and knows thousands of events again", async () => {
  await inObject("many", (fresh) => {
    const activity = fresh();
    const keys = Array.from({ length: 10_000 }, (_, n) => n);
    for (let n = 0; n < keys.length; n += 50)
      activity.take(
        [],
        keys.slice(n, n + 50).map((key) => step(key, key, "a", "b")),
        n,
        true,
      );
    expect(activity.folds).toBeGreaterThan(0);
    const again = fresh();
    again.take(
      [],
      keys.map((key) => step(key, key, "a", "b")),
      0,
      true,
    );
    expect(again.byProduct().get("a")?.followers).toEqual([{ productId: "b", cell: leaf, weight: 10_000 }]);
  });
});

it("keeps the strongest 64 followers of a product, and forgets keys to which none was added for two weeks", async () => {
  await inObject("pruned", (fresh) => {
    const activity = fresh();
    const all = Array.from({ length: 70 }, (_, n) => ({ ...step(n, n, "a", `p${n}`), weight: n + 1 }));
    activity.take([], all, 0, false);
    const followers = activity.byProduct().get("a")?.followers ?? [];
    expect(followers.map(({ weight }) => weight)).toEqual(Array.from({ length: 64 }, (_, n) => 70 - n));
    activity.prune(14 * 86_400);
    expect(activity.take([], all.slice(-1), 1, false).parts).toEqual([]);
    activity.prune(14 * 86_400 + 1);
    expect(activity.take([], all.slice(-1), 1, false).parts).toEqual([1]);
  });
});

it("folds at once what is more than a row may hold", async () => {
  await inObject("large", (fresh) => {
    const activity = fresh();
    const past = Array.from({ length: 2000 }, (_, hour) => ({ ...emptyTotals(), view: 1, hour }));
    const all = Array.from({ length: 30 }, (_, n) => ({ ...totals(`p${n}`, 2000), hours: past }));
    activity.take([totals("p0", 1)], [], 0, true);
    expect(activity.take(all, [], 1, true).counted).toBe(30 * 2000 - 1);
    const again = fresh();
    expect(again.countedAfter(0)).toBe(0);
    expect(again.byProduct().get("p0")?.totals?.version).toBe(2000);
    expect(again.byProduct().size).toBe(30);
  });
});
