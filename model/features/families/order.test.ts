import { describe, expect, it } from "vitest";
import { emptyProfile } from "../../profile/profile.ts";
import { blockOf, contextOf, featureValues, makeInteraction, now, profileOf } from "../testing.ts";
import { orderFeatures } from "./order.ts";

const block = blockOf([{ nextProducts: [{ productId: "p2", cell: "c", weight: 15 }] }, {}, {}, {}]);
const choices = ["p0", "p1", "p1", "p0"].map((id, i) => makeInteraction(id, now - 600 + 60 * i));
const context = contextOf(profileOf(choices), block);
const [p0, p1, p2, p3] = [0, 1, 2, 3].map((row) => featureValues(orderFeatures, context, block, row));

describe("orderFeatures", () => {
  it("write what the order of the choices says about a product", () => {
    expect(p1.order_age).toBeCloseTo(Math.log(3) / 2, 5);
    expect(p1.order_gap_passed).toBe(2);
    expect(p0.order_gap_passed).toBeCloseTo(1 / 3, 5);
    expect(p1.order_among_10).toBeCloseTo(2 / 3, 5);
    expect(p1.order_in_session).toBeCloseTo(Math.log(3), 5);
    expect(p1.order_next).toBeGreaterThan(0);
    expect(p0.order_next).toBe(0);
  });

  it("score by counting: shares of the choices, and of those after the last one, by the user and by all", () => {
    const score = (share: number, own: number, everyone: number): number =>
      (Math.log(share + own / 3 + 0.3 * everyone + 0.002) + 6) / 2;
    expect(p0.counting_score).toBeCloseTo(score(0.5, 0, 0), 5);
    expect(p1.counting_score).toBeCloseTo(score(0.5, 1, 0), 5);
    expect(p2.counting_score).toBeCloseTo(score(0, 0, 15 / 20), 5);
    expect(p3.counting_score).toBeCloseTo(score(0, 0, 0), 5);
  });

  it("say nothing about a product that the user does not know, nor to a new user", () => {
    const { counting_score: _, ...rest } = p3;
    expect(new Set(Object.values(rest))).toEqual(new Set([0]));
    const { counting_score, ...others } = featureValues(
      orderFeatures,
      contextOf(emptyProfile(), block),
      block,
      0,
    );
    expect(new Set(Object.values(others))).toEqual(new Set([0]));
    expect(counting_score).toBeCloseTo((Math.log(0.002) + 6) / 2, 5);
  });
});
