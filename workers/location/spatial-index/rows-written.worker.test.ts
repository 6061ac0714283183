/// <reference types="@cloudflare/vitest-plugin/types" />
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Cell } from "../../../durable-objects/cell/cell.ts";
import { cellStub } from "../../../durable-objects/cell/cell-stub.ts";
import { emptyTotals, type ProductTotals, type Transition } from "../../../shared/contracts/totals.ts";
import { leafCellAt } from "../../../shared/geo/cells.ts";
import { countRowsWritten } from "../../../shared/testing/rows-written.ts";

const environment: { CELL: DurableObjectNamespace<Cell> } = Object.assign({ CELL: {} as never }, env);
const leaf = leafCellAt({ lat: 59.91, lon: 10.75 }, 0);
/** Number of products in a median cell of 100,000 generated products. */
const products = 131;

const totals = (productId: string, views: number): ProductTotals => {
  const counts = { ...emptyTotals(), view: views, people: 1 };
  return { productId, complete: true, hours: [{ ...counts, hour: 472_222 }] };
};

/** Calls after which a cell compacts its pending deltas. Measurements cover multiples, to include compactions. */
const calls = 512;

/** Returns the product of event `n`, in a fixed order that visits all products equally often. */
const chosen = (n: number): string => `p${(n * 37) % products}`;

/** Returns the transitions of an event whose user chose three other products of this cell before. */
const transitionsOf = (n: number): Transition[] =>
  [1, 2, 3].map((gap) => ({
    key: n,
    user: n,
    from: chosen(n - gap),
    to: chosen(n),
    toCell: leaf,
    gap,
    time: 1_700_000_000 + n,
  }));

/** Returns the rows that a cell writes per event, with `perCall` events in each call. */
async function rowsPerEvent(application: string, events: number, perCall: number): Promise<number> {
  const cell = cellStub(environment.CELL, application, leaf);
  await cell.applyTotals(application, leaf, [totals("p0", 1)], []);
  const count = await runInDurableObject(cell, (_object, state) => countRowsWritten(state.storage));
  for (let n = 3; n < events + 3; n += perCall) {
    const some = Array.from({ length: perCall }, (_, i) => n + i);
    await cell.applyTotals(
      application,
      leaf,
      some.map((each) => totals(chosen(each), 2 + Math.floor(each / products))),
      some.flatMap(transitionsOf),
    );
  }
  return count().rows / events;
}

describe("rows written by a cell", () => {
  it("are at most 1.6 per event with one event per call", async () => {
    expect(await rowsPerEvent("alone", 3 * calls + 1, 1)).toBeLessThanOrEqual(1.6);
  });

  it("are at most 0.25 per event with ten events per call", async () => {
    expect(await rowsPerEvent("together", 10 * (2 * calls + 1), 10)).toBeLessThanOrEqual(0.25);
  });

  it("are 0 for repeated events", async () => {
    const cell = cellStub(environment.CELL, "again", leaf);
    const batch = [[totals("p5", 1)], transitionsOf(5)] as const;
    await cell.applyTotals("again", leaf, [...batch[0]], [...batch[1]]);
    const count = await runInDurableObject(cell, (_object, state) => countRowsWritten(state.storage));
    await cell.applyTotals("again", leaf, [...batch[0]], [...batch[1]]);
    expect(count()).toMatchObject({ rows: 0, alarms: 0 });
  });
});
