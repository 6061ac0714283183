import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hash53 } from "../../model/columns/hash.ts";
import { addressOfProduct } from "../../model/tiles/cell-product.ts";
import { childCells, leafCell, nextCellToward } from "../../shared/geo/cells.ts";
import { type MigratedProduct, splitByChild } from "./shard-migration.ts";

const place = { lat: 59.91, lon: 10.75 };
const cell = leafCell(addressOfProduct({ productId: "", location: place }));
/** Returns a product that the cell stores (`stored`) or stored before; `moved` if the product moved within the cell. */
const migratedProduct = (id: string, stored: boolean, moved: boolean, i: number): MigratedProduct => {
  const location = { lat: place.lat + i / 1000, lon: place.lon };
  const address = addressOfProduct({ productId: id, location });
  return {
    id,
    product: stored ? { version: 3, body: JSON.stringify({ cell: address }) } : null,
    hours: { exactFrom: 168, body: "{}" },
    nextProducts: null,
    forward: moved || !stored ? { version: 2, cell: stored ? address : null } : null,
  };
};

describe("splitByChild", () => {
  it("sends each product to one child, activity of missing products to all, and forwards to the others", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.boolean()), { maxLength: 10 }),
        fc.boolean(),
        (kinds, toAllChildren) => {
          const products = kinds.map(([stored, moved], i) => migratedProduct(`p${i}`, stored, moved, i));
          const children = childCells(cell);
          const parts = splitByChild(
            {
              clear: false,
              products,
              keyChunks: [],
              toAllChildren,
              next: { step: "changes" },
              upToChange: 0,
              last: true,
            },
            children,
            (address, id) => nextCellToward(cell, address, hash53(id)),
          );
          for (const each of products) {
            const sent = [...parts].flatMap(([child, part]) =>
              part.products.filter(({ id }) => id === each.id).map((product) => ({ child, product })),
            );
            const holders = sent.filter(({ product }) => product.product !== null);
            if (each.product === null) {
              expect(sent.map(({ product }) => product)).toEqual(children.map(() => each));
              continue;
            }
            expect(holders.length).toBe(1);
            expect(sent.length).toBe(toAllChildren || each.forward ? children.length : 1);
            for (const { product } of sent)
              if (each.forward && product.product === null)
                expect(product.forward).toEqual({ version: 3, cell: each.forward.cell });
          }
        },
      ),
    );
  });
});
