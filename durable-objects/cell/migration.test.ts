import fc from "fast-check";
import { expect, it } from "vitest";
import { hash53 } from "../../model/columns/hash.ts";
import { addressOfProduct } from "../../model/retrieval/cell-state.ts";
import { childrenOf, childToward, leafOf } from "../../shared/geo/cells.ts";
import { type MigratedProduct, partsOf } from "./migration.ts";

const place = { lat: 59.91, lon: 10.75 };
const cell = leafOf(addressOfProduct({ productId: "", location: place }));
const handed = (id: string, here: boolean, moved: boolean, i: number): MigratedProduct => {
  const location = { lat: place.lat + i / 1000, lon: place.lon };
  const address = addressOfProduct({ productId: id, location });
  return {
    id,
    product: here ? { version: 3, body: JSON.stringify({ cell: address }) } : null,
    hours: { before: 168, body: "{}" },
    nextProducts: null,
    forward: moved || !here ? { version: 2, cell: here ? address : null } : null,
  };
};

it("hands each product to one child, what is known of others to all, and leads on from where it may be looked for", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.boolean(), fc.boolean()), { maxLength: 10 }),
      fc.boolean(),
      (kinds, toAll) => {
        const products = kinds.map(([here, moved], i) => handed(`p${i}`, here, moved, i));
        const children = childrenOf(cell);
        const parts = partsOf(
          { clear: false, products, keys: [], toAll, next: { step: "changes" }, upTo: 0, last: true },
          children,
          (address, id) => childToward(cell, address, hash53(id)),
        );
        for (const each of products) {
          const told = [...parts].flatMap(([child, part]) =>
            part.products.filter(({ id }) => id === each.id).map((product) => ({ child, product })),
          );
          const holders = told.filter(({ product }) => product.product !== null);
          if (each.product === null) {
            expect(told.map(({ product }) => product)).toEqual(children.map(() => each));
            continue;
          }
          expect(holders.length).toBe(1);
          expect(told.length).toBe(toAll || each.forward ? children.length : 1);
          for (const { product } of told)
            if (each.forward && product.product === null)
              expect(product.forward).toEqual({ version: 3, cell: each.forward.cell });
        }
      },
    ),
  );
});
