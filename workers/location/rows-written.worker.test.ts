/// <reference types="@cloudflare/vitest-plugin/types" />
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { type Cell, cellOf } from "../../durable-objects/cell.ts";
import { countRowsWritten } from "../../durable-objects/testing/rows-written.ts";
import { emptyTotals, type ProductTotals, type Transition } from "../shared/contracts/totals.ts";
import { leafCellOf } from "../shared/geo/cells.ts";

const environment: { CELL: DurableObjectNamespace<Cell> } = Object.assign({ CELL: {} as never }, env);
const leaf = leafCellOf({ lat: 59.91, lon: 10.75 }, 0);
const cell = cellOf(environment.CELL, "demo", leaf);

const totals = (productId: string, views: number): ProductTotals => {
  const counts = { ...emptyTotals(), view: views, people: 1 };
  return { productId, version: views, lifetime: counts, hours: [{ ...counts, hour: 472_222 }] };
};

/** Steps of an event of a person who chose three products of this cell before. */
const stepsOf = (n: number): Transition[] =>
  [1, 2, 3].map((gap) => ({
    key: `person:e${n}`,
    from: `p${n - gap}`,
    to: `p${n}`,
    toCell: leaf,
    gap,
    time: 1_700_000_000,
  }));

describe("rows that a cell writes", () => {
  it("for an event are those of its product, its key and its three steps, and nothing when it comes again", async () => {
    const events = Array.from({ length: 20 }, (_, n) => n + 3);
    const batch = [events.map((n) => totals(`p${n}`, 1)), events.flatMap(stepsOf)] as const;
    await cell.applyTotals("demo", leaf, [totals("p0", 1)], []);
    const count = await runInDurableObject(cell, (_object, state) => countRowsWritten(state.storage));
    await cell.applyTotals("demo", leaf, [...batch[0]], [...batch[1]]);
    const once = count().rows;
    // The cell's own state is one row, whatever the batch.
    expect(once).toBeLessThanOrEqual(5 * events.length + 1);
    await cell.applyTotals("demo", leaf, [...batch[0]], [...batch[1]]);
    expect(count().rows - once).toBeLessThanOrEqual(1);
  });
});
