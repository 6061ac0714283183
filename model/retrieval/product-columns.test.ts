import { expect, it } from "vitest";
import { leafCellAt } from "../../shared/geo/cells.ts";
import { productColumns } from "./product-columns.ts";
import { idsOf, makeProduct, pyramid, time } from "./testing.ts";

const source = pyramid(
  Array.from({ length: 300 }, (_, i) => makeProduct(`paris-${i}`, { lat: 48.8 + i / 3000, lon: 2.3 })),
);

it("productColumns returns the named products that it finds, each once, in the given order", async () => {
  const cell = leafCellAt({ lat: 48.8, lon: 2.3 }, 0);
  const wanted = ["paris-1", "paris-0", "paris-0", "nowhere"].map((productId) => ({ productId, cell }));
  const columns = await productColumns(source, wanted, time + 86_400, 1);
  expect(idsOf(columns)).toEqual(["paris-1", "paris-0"]);
});
