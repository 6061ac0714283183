/// <reference types="@cloudflare/vitest-plugin/types" />
import { expect, it } from "vitest";
import { columnWidth } from "../../../model/columns/layout.ts";
import { addressOfProduct } from "../../../model/tiles/cell-product.ts";
import type { CellContent } from "../../../shared/contracts/rebuild.ts";
import { emptyTotals } from "../../../shared/contracts/totals.ts";
import { leafCellAt, maxCellProducts, worldCell } from "../../../shared/geo/cells.ts";
import { indexEnvironment, productsUnder, TestIndex, tilesUnder } from "../testing/test-index.ts";
import { applyChanges } from "./apply.ts";
import { rebuildCells } from "./rebuild-cells.ts";

const place = { lat: 59.91, lon: 10.75 };
const leaf = leafCellAt(place, 0);
/** Products per call of `rebuildCells`. */
const productsPerCall = 500;

it("replaces the content of a split cell by the records, range by range, whatever its children hold", async () => {
  const index = new TestIndex("anew");
  const places = Array.from({ length: 4 * maxCellProducts }, (_, i) => ({
    id: `p${i}`,
    location: {
      lat: place.lat + ((i * 7919) % 1000) / 50_000,
      lon: place.lon + ((i * 104_729) % 1000) / 25_000,
    },
  }))
    .filter(({ location }) => leafCellAt(location, 0) === leaf)
    .slice(0, maxCellProducts + 200);
  await index.put(places);
  await index.runAlarmsUntilIdle(worldCell);
  expect(await index.phaseOf(leaf)).toBe("split");

  // Make the cells wrong: add a product that the records lack, and remove one that they have.
  const [first, second] = [...index.products.values()];
  const invented = { ...first, productId: "invented", title: "invented" };
  const lost = { ...second, version: second.version + 1, deleted: true };
  await applyChanges(indexEnvironment.CELL, index.application, [invented, lost]);
  await index.runAlarmsUntilIdle(worldCell);
  expect(await productsUnder(index.application)).not.toEqual(index.expected);

  // The records, by address and id, as the catalog returns them. The removed product has a newer version.
  const truth = { ...second, version: second.version + 2 };
  index.products.set(truth.productId, truth);
  const records = [...index.products.values()]
    .map((change) => ({ cell: addressOfProduct(change), change }))
    .sort((a, b) =>
      a.cell === b.cell ? (a.change.productId < b.change.productId ? -1 : 1) : a.cell < b.cell ? -1 : 1,
    );
  for (let i = 0; i <= records.length; i += productsPerCall) {
    const part = records.slice(i, i + productsPerCall);
    const position = (at: number) =>
      records[at] === undefined ? null : { cell: records[at].cell, productId: records[at].change.productId };
    const range = {
      after: i === 0 ? null : position(i - 1),
      upTo: i + productsPerCall >= records.length ? null : position(i + productsPerCall - 1),
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
    expect(await rebuildCells(indexEnvironment.CELL, index.application, range, content)).toBeGreaterThan(0);
  }
  await index.runAlarmsUntilIdle(worldCell);
  expect(await productsUnder(index.application)).toEqual(index.expected);
  const leaves = (await tilesUnder(index.application, leaf)).filter(({ meta }) => meta.children.length === 0);
  expect(leaves.length).toBeGreaterThan(1);
  for (const { count, counts } of leaves)
    for (let row = 0; row < count; row++) expect(counts[columnWidth.counts * row]).toBe(7);
}, 120_000);
