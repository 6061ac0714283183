/// <reference types="@cloudflare/vitest-plugin/types" />
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { cellStub } from "../../../durable-objects/cell/cell-stub.ts";
import type { Cell } from "../../../durable-objects/cell.ts";
import { emptyTotals, type ProductTotals, type Transition } from "../../../shared/contracts/totals.ts";
import { leafCellAt } from "../../../shared/geo/cells.ts";
import { countRowsWritten } from "../../../shared/testing/rows-written.ts";

const environment: { CELL: DurableObjectNamespace<Cell> } = Object.assign({ CELL: {} as never }, env);
const leaf = leafCellAt({ lat: 59.91, lon: 10.75 }, 0);
/** A cell in the middle of those of 100,000 generated products holds so many. */
const products = 131;

const totals = (productId: string, views: number): ProductTotals => {
  const counts = { ...emptyTotals(), view: views, users: 1 };
  return { productId, complete: true, hours: [{ ...counts, hour: 472_222 }] };
};

/** Calls after which news are folded: as many as are measured, so that each event's share of it is in. */
const calls = 512;

/** Products in a fixed order that leaves none out and visits all equally: no product is written twice for being popular. */
const chosen = (n: number): string => `p${(n * 37) % products}`;

/** Steps of an event of a person who chose three products of this cell before. */
const stepsOf = (n: number): Transition[] =>
  [1, 2, 3].map((gap) => ({
    ...{ key: n, from: chosen(n - gap), to: chosen(n), toCell: leaf, gap, time: 1_700_000_000 + n },
  }));

/** Rows that a cell writes for each of many events that come so many to a call. */
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
      some.flatMap(stepsOf),
    );
  }
  return count().rows / events;
}

describe("rows that a cell writes", () => {
  it("for an event that comes alone are one of news, and what many events are folded into", async () => {
    expect(await rowsPerEvent("alone", 3 * calls + 1, 1)).toBeLessThanOrEqual(1.6);
  });

  it("for one of ten events that come together are an eighth of that", async () => {
    expect(await rowsPerEvent("together", 10 * (2 * calls + 1), 10)).toBeLessThanOrEqual(0.25);
  });

  it("are none when the same events come again", async () => {
    const cell = cellStub(environment.CELL, "again", leaf);
    const batch = [[totals("p5", 1)], stepsOf(5)] as const;
    await cell.applyTotals("again", leaf, [...batch[0]], [...batch[1]]);
    const count = await runInDurableObject(cell, (_object, state) => countRowsWritten(state.storage));
    await cell.applyTotals("again", leaf, [...batch[0]], [...batch[1]]);
    expect(count()).toEqual({ rows: 0, alarms: 0 });
  });
});
