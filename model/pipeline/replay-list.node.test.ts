import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { othersInPlay } from "../experiments/exploration.ts";
import { exploreAroundPins } from "../experiments/explore-around-pins.ts";
import { linearRanker } from "./fallback-rankers.ts";
import { decodeInputs, encodeInputs, InputRecorder } from "./recorded-inputs.ts";
import { listingOf, replayList } from "./replay-list.ts";
import { isExplorable, type PipelineQuery, runPipeline } from "./run-pipeline.ts";
import { bundledRankerInNode, simulatedNow, simulatedWorld } from "./testing/simulated-world.node.ts";

const receipts = process.env.VICINITY_LONG === "1" ? 1000 : 60;
const { candidateService, queryFor, categories } = simulatedWorld();
const bundled = await bundledRankerInNode();
const category = fc.constantFrom(...categories);

/** Requests of all kinds. */
const anyRequest: fc.Arbitrary<Partial<PipelineQuery>> = fc
  .record({
    limit: fc.integer({ min: 1, max: 100 }),
    boost: fc.option(fc.dictionary(category, fc.constantFrom(0, 0.5, 3), { noNullPrototype: true }), {
      nil: undefined,
    }),
    boosts: fc.constantFrom(
      undefined,
      [{ when: "product.rating >= 4.0 && distanceKm < 3.0", multiply: 2 }],
      [
        { when: "product.price < 20.0", add: 0.2 },
        { when: `product.category == "${categories[0]}"`, multiply: 0.5 },
      ],
    ),
    pins: fc.constantFrom(undefined, [
      { when: `product.category == "${categories[1]}"`, position: 3 },
      { productId: "p0", position: 1 },
    ]),
    diversity: fc.constantFrom(0, 0, 0.3, 1),
    perCategory: fc.constantFrom(undefined, undefined, 1, 3),
    perAttribute: fc.constantFrom(undefined, { brandName: 2 }),
    collapse: fc.constantFrom(undefined, [], ["brand", "attributes.brandName"]),
    objective: fc.constantFrom(undefined, undefined, { click: 1, purchase: 20, margin: "margin" }),
    when: fc.constantFrom(undefined, "product.rating >= 4.0"),
    maxCandidates: fc.integer({ min: 20, max: 500 }),
    rate: fc.constantFrom(0, 0.5, 1),
    drawn: fc.constantFrom(0, 0.5),
    purchased: fc.constantFrom("auto" as const, "hide" as const, "fade" as const, "keep" as const),
    hidesSmallCounts: fc.boolean(),
    placeless: fc.nat(9).map((each) => each === 0),
    later: fc.nat({ max: 86_400 }),
    filter: fc.constantFrom<PipelineQuery["filter"]>(
      {},
      { radiusKm: 2 },
      { categories: categories.slice(0, 2) },
      { includeUnavailable: true },
    ),
  })
  .map(
    ({
      limit,
      boost,
      boosts,
      pins,
      diversity,
      perCategory,
      perAttribute,
      collapse,
      objective,
      when,
      rate,
      drawn,
      purchased,
      placeless,
      later,
      ...rest
    }) => ({
      ...rest,
      rules: { limit, boost, boosts, pins, diversity, perCategory, perAttribute, collapse, objective },
      ruleScope: {
        currency: "EUR",
        now: simulatedNow + later,
        offsetSeconds: 0,
        user: null,
        attributes: { brandName: "string" },
      },
      exploration: {
        ...{ rate, depth: 10, drawn: { share: drawn, temperature: 1 } },
        ...(when === undefined ? {} : { when }),
      },
      historyRules: { purchased, dismissedDays: 90, purchasedDays: 30 },
      now: simulatedNow + later,
      ...(placeless ? { point: null } : {}),
    }),
  );

describe("replayList", () => {
  it("computes the same products, scores and propensities, to the last bit", async () => {
    let bytes = 0;
    await fc.assert(
      fc.asyncProperty(
        ...[fc.nat(59), anyRequest, fc.boolean(), fc.array(fc.nat(14), { maxLength: 2 })],
        async (user, request, isLinear, gone) => {
          const ranker = isLinear ? linearRanker : bundled;
          const query = queryFor(user, request);
          const recorder = new InputRecorder({ candidateService, rankers: [ranker], clock: () => 0 });
          const answer = await runPipeline(query, recorder.ports);
          // Some products turn out to be gone when their cards are read.
          const { limit } = query.rules;
          const exploration = query.exploration ?? { rate: 0, depth: 0 };
          const notForSale = new Set(gone.map((i) => answer.items[i]?.productId));
          const listable = [...answer.items, ...answer.spare()]
            .filter(({ productId }) => !notForSale.has(productId))
            .slice(0, limit + othersInPlay(exploration));
          const { inPlay } = exploreAroundPins(
            listable,
            ({ pin }) => pin,
            limit,
            exploration,
            recorder.draw,
            isExplorable,
          );
          const inputs = recorder.inputsOf(
            query,
            listingOf(
              answer,
              inPlay.map(({ item }) => item),
              limit,
            ),
          );
          if (inputs === null) throw new Error("nothing was recorded");
          const encoded = encodeInputs(inputs);
          bytes = Math.max(bytes, encoded.byteLength);
          const decoded = decodeInputs(encoded);
          if (decoded === null) throw new Error("the bytes are not read");
          expect(await replayList(decoded, ranker)).toEqual(
            inPlay
              .filter(({ position }) => position > 0)
              .map(({ item: { productId, score }, propensity }) => ({ productId, score, propensity })),
          );
        },
      ),
      { numRuns: receipts },
    );
    expect(bytes).toBeLessThan(1_000_000);
  }, 300_000);

  it("knows no bytes of another form", () => {
    expect(decodeInputs(new Uint8Array())).toBeNull();
    expect(decodeInputs(new Uint8Array(64))).toBeNull();
  });
});
