/// <reference types="@cloudflare/vitest-plugin/types" />
import { expect, it } from "vitest";
import { addressOfProduct } from "../../../model/retrieval/cell-product.ts";
import type { CellContent } from "../../../shared/contracts/rebuild.ts";
import { emptyTotals } from "../../../shared/contracts/totals.ts";
import { leafCellAt, maxCellProducts, worldCell } from "../../../shared/geo/cells.ts";
import { indexEnvironment, productsUnder, TestIndex, tilesUnder } from "../testing/test-index.ts";
import { applyChanges } from "./apply.ts";
import { rebuildCells } from "./rebuild-cells.ts";

const place = { lat: 59.91, lon: 10.75 };
const leaf = leafCellAt(place, 0);
/** Products of one step. */
const atOnce = 500;

it("fills a cell that has split as the records say, range by range, whatever its children held", async () => {
  const town = new TestIndex("anew");
  const places = Array.from({ length: 4 * maxCellProducts }, (_, i) => ({
    id: `p${i}`,
    location: {
      lat: place.lat + ((i * 7919) % 1000) / 50_000,
      lon: place.lon + ((i * 104_729) % 1000) / 25_000,
    },
  }))
    .filter(({ location }) => leafCellAt(location, 0) === leaf)
    .slice(0, maxCellProducts + 200);
  await town.put(places);
  await town.runAlarmsUntilIdle(worldCell);
  expect(await town.phaseOf(leaf)).toBe("split");

  // The cells come to hold what is not true: a product that nobody knows, and one fewer than there are.
  const [first, second] = [...town.products.values()];
  const invented = { ...first, productId: "invented", title: "invented" };
  const lost = { ...second, version: second.version + 1, deleted: true };
  await applyChanges(indexEnvironment.CELL, town.application, [invented, lost]);
  await town.runAlarmsUntilIdle(worldCell);
  expect(await productsUnder(town.application)).not.toEqual(town.expected);

  // The records: by address and id, as the catalogue gives them; a product that was lost is there in a newer version.
  const truth = { ...second, version: second.version + 2 };
  town.products.set(truth.productId, truth);
  const records = [...town.products.values()]
    .map((change) => ({ cell: addressOfProduct(change), change }))
    .sort((a, b) =>
      a.cell === b.cell ? (a.change.productId < b.change.productId ? -1 : 1) : a.cell < b.cell ? -1 : 1,
    );
  for (let i = 0; i <= records.length; i += atOnce) {
    const part = records.slice(i, i + atOnce);
    const position = (at: number) =>
      records[at] === undefined ? null : { cell: records[at].cell, productId: records[at].change.productId };
    const range = {
      after: i === 0 ? null : position(i - 1),
      upTo: i + atOnce >= records.length ? null : position(i + atOnce - 1),
    };
    const content = part.map(
      ({ change }): CellContent => ({
        change,
        totals: {
          productId: change.productId,
          complete: true,
          hours: [{ ...emptyTotals(), view: 7, people: 1, hour: 472_222 }],
        },
      }),
    );
    expect(await rebuildCells(indexEnvironment.CELL, town.application, range, content)).toBeGreaterThan(0);
  }
  await town.runAlarmsUntilIdle(worldCell);
  expect(await productsUnder(town.application)).toEqual(town.expected);
  const leaves = (await tilesUnder(town.application, leaf)).filter(({ meta }) => meta.children.length === 0);
  expect(leaves.length).toBeGreaterThan(1);
  for (const { count, counts } of leaves)
    for (let row = 0; row < count; row++) expect(counts[6 * row]).toBe(7);
}, 120_000);
