import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blockOf } from "../../../model/features/testing.ts";
import type { PipelineItem } from "../../../model/pipeline/run-pipeline.ts";
import { Random } from "../../../model/train/random.ts";
import type { CardRequest, ProductCard } from "../../../shared/contracts/product.ts";
import { ok } from "../../../shared/contracts/result.ts";
import { exploredList } from "./explored-list.ts";

/** A product of a ranking: whether it can still be listed, and its group of variants. */
interface RankedProduct {
  state: "listed" | "deleted" | "sold out";
  group: string | null;
}

/** Returns the list of a ranking by one draw, with the propensities. Cards are newer than their tiles. */
async function listOf(
  application: string,
  products: readonly RankedProduct[],
  rule: { limit: number; rate: number; depth: number },
  random: () => number,
  isCatalogDown = false,
) {
  const { limit, rate, depth } = rule;
  const block = blockOf(products.map((_, i) => ({ productId: `p${i}` })));
  const ranking = products.map(
    (_, index): PipelineItem => ({
      productId: `p${index}`,
      version: 1,
      createdAt: 0,
      score: 1 - index / 100,
      index,
      distanceKm: null,
      ...{ reasons: [], sources: [], rules: [] },
    }),
  );
  const cardOf = (productId: string): ProductCard[] => {
    const { state, group } = products[Number(productId.slice(1))];
    if (state === "deleted") return [];
    return [
      {
        id: productId,
        title: productId,
        category: "cafe",
        price: null,
        priceAfterDiscount: null,
        currency: null,
        discount: 0,
        rating: null,
        available: state === "listed",
        groupId: group,
        image: null,
        location: null,
        cell: "c",
        version: 2,
      } as ProductCard,
    ];
  };
  let calls = 0;
  const catalog = {
    getCards: async (_application: string, wanted: readonly CardRequest[]) => {
      calls++;
      if (isCatalogDown) throw new Error("the catalog is down");
      return ok(wanted.flatMap(({ productId }) => cardOf(productId)));
    },
  };
  const { inPlay } = await exploredList(
    catalog,
    application,
    {
      items: ranking.slice(0, limit),
      spare: () => ranking.slice(limit),
      candidates: products.map((_, row) => ({ block, row })) as never,
    },
    { limit, test: (cards, row) => cards.available[row] === 1, exploration: { rate, depth } },
    random,
  );
  return {
    inPlay: inPlay.map(({ item, ...rest }) => ({ ...rest, productId: item.ranked.productId })),
    calls,
  };
}

const product: fc.Arbitrary<RankedProduct> = fc.record({
  state: fc.oneof(
    { weight: 5, arbitrary: fc.constant("listed" as const) },
    { weight: 1, arbitrary: fc.constantFrom("deleted" as const, "sold out" as const) },
  ),
  group: fc.option(fc.constantFrom("a", "b"), { freq: 4, nil: null }),
});

let worlds = 0;

describe("exploredList", () => {
  it("returns the probabilities with which the list that is shown has its products, whatever is gone", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(product, { minLength: 6, maxLength: 40 }),
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom(0, 0.25, 0.5),
        fc.constantFrom(1, 4),
        async (products, limit, rate, depth) => {
          const world = `world ${worlds++}`;
          // The draws are on a grid that is finer than the shares of exploration: their frequencies are exact.
          const steps = 8;
          const frequencies = new Map<string, number>();
          const logged = new Map<string, number>();
          for (let first = 0; first < steps; first++)
            for (let second = 0; second < 12; second++) {
              const draws = [(first + 0.5) / steps, (second + 0.5) / 12];
              const { inPlay } = await listOf(
                world,
                products,
                { limit, rate, depth },
                () => draws.shift() ?? 0,
              );
              for (const { productId, position, propensity } of inPlay) {
                logged.set(productId, propensity);
                if (position > 0)
                  frequencies.set(productId, (frequencies.get(productId) ?? 0) + 1 / (steps * 12));
              }
              const shown = inPlay.filter(({ position }) => position > 0);
              const sum = inPlay.reduce((total, { propensity }) => total + propensity, 0);
              expect(sum).toBeCloseTo(shown.length, 9);
            }
          for (const [productId, propensity] of logged)
            expect(frequencies.get(productId) ?? 0).toBeCloseTo(propensity, 9);
          for (const productId of frequencies.keys()) expect(logged.has(productId)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("asks for the cards of the list and of the products that it might show in one call", async () => {
    const products = Array.from({ length: 30 }, (): RankedProduct => ({ state: "listed", group: null }));
    const random = new Random(1);
    const { inPlay, calls } = await listOf("one call", products, { limit: 10, rate: 0.5, depth: 6 }, () =>
      random.next(),
    );
    expect(inPlay).toHaveLength(16);
    expect(calls).toBe(1);
  });

  it("explores the cards of the tiles if the catalog is down", async () => {
    const products = Array.from({ length: 30 }, (): RankedProduct => ({ state: "listed", group: null }));
    const { inPlay } = await listOf("down", products, { limit: 10, rate: 0.5, depth: 4 }, () => 0, true);
    expect(inPlay.map(({ productId }) => productId).slice(8)).toEqual([
      "p8",
      "p10",
      "p9",
      "p11",
      "p12",
      "p13",
    ]);
    expect(inPlay.slice(9).map(({ propensity }) => propensity)).toEqual([0.125, 0.5, 0.125, 0.125, 0.125]);
  });
});
