import { expect, it } from "vitest";
import type { StoredType } from "../../shared/contracts/event.ts";
import { transitionsOfHistory } from "./rebuild.ts";

it("leads transitions over dismissals and refunds, which are no choices", () => {
  const history = (["view", "dismiss", "refund", "view"] as StoredType[]).map((type, i) => ({
    ...{ type, productId: `p${i}`, time: 3600 * i, counts: type === "view" },
  }));
  const cells = new Map(history.map(({ productId }) => [productId, `cell-${productId}`]));
  const found = transitionsOfHistory("ann", history, cells, 30);
  expect(found.map(({ from, to, gap }) => [from, to, gap])).toEqual([["p0", "p3", 1]]);
});
