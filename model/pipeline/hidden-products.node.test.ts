import fc from "fast-check";
import { expect, it } from "vitest";
import { day, makeInteraction, profileOf } from "../features/testing.ts";
import { linearRanker } from "./fallback-rankers.ts";
import { runPipeline } from "./run-pipeline.ts";
import { simulatedNow, simulatedWorld } from "./testing/simulated-world.node.ts";

const { candidateService, queryFor, categories } = simulatedWorld();
const ports = { candidateService, rankers: [linearRanker], clock: () => 0 };
const wideQuery = queryFor(0, { rules: { limit: 40 } });
const ids = (await runPipeline(wideQuery, ports)).items.map(({ productId }) => productId);

/** What a user did with one product: all of one type, so that no event ends the hiding of another. */
const anyHistory = fc.uniqueArray(
  fc.record({
    product: fc.nat(39),
    type: fc.constantFrom("dismiss" as const, "purchase" as const, "view" as const),
    days: fc.integer({ min: 1, max: 60 }),
    times: fc.integer({ min: 1, max: 3 }),
  }),
  { maxLength: 15, selector: ({ product }) => product },
);

it("a hidden product never comes, whatever other rules say, nor takes the place of one that is gone", async () => {
  await fc.assert(
    fc.asyncProperty(
      anyHistory,
      fc.record({
        dismissedDays: fc.nat(60),
        purchasedDays: fc.nat(60),
        viewed: fc.record({ times: fc.integer({ min: 1, max: 3 }), days: fc.nat(60) }),
      }),
      fc.record({ diversity: fc.constantFrom(0, 1), limit: fc.integer({ min: 1, max: 60 }) }),
      async (history, hide, more) => {
        const events = history.flatMap(({ product, type, days, times }) =>
          Array.from({ length: times }, (_, i) =>
            makeInteraction(ids[product], simulatedNow - days * day + i, { type }),
          ),
        );
        const hidden = history.flatMap(({ product, type, days, times }) => {
          // The last of some events comes seconds after the first.
          const isWithin = (limit: number) => days * day - (times - 1) < limit * day;
          if (type === "dismiss") return isWithin(hide.dismissedDays) ? [ids[product]] : [];
          if (type === "purchase") return isWithin(hide.purchasedDays) ? [ids[product]] : [];
          return times >= hide.viewed.times && isWithin(hide.viewed.days) ? [ids[product]] : [];
        });
        const pins = hidden.slice(0, 5).map((productId, i) => ({ productId, position: i + 1 }));
        const { items, spare } = await runPipeline(
          {
            ...wideQuery,
            profile: profileOf(events),
            historyRules: { ...hide, purchased: "hide" },
            rules: { ...more, pins, boost: { [categories[0]]: 5 }, collapse: [] },
            exploration: { rate: 1, depth: 20 },
          },
          ports,
        );
        const listed = new Set([...items, ...spare()].map(({ productId }) => productId));
        expect(listed.size).toBeGreaterThan(0);
        expect(hidden.filter((id) => listed.has(id))).toEqual([]);
      },
    ),
    { numRuns: process.env.VICINITY_LONG === "1" ? 1000 : 60 },
  );
});
