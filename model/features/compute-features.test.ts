import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eventTypes } from "../../shared/contracts/event.ts";
import { applyInteraction } from "../profile/apply-interaction.ts";
import { emptyProfile } from "../profile/profile.ts";
import { BatchPool } from "./batch-pool.ts";
import { computeFeatures, featureFamilies, featureShape } from "./compute-features.ts";
import {
  eventFeatureNames,
  eventHistoryOf,
  fillEvents,
  fillPairs,
  historyLength,
  pairFeatureNames,
} from "./pair-features.ts";
import { rankedBlock } from "./ranked-block.ts";
import { blockOf, contextOf, day, hour, makeInteraction, now } from "./testing.ts";

const counts = (length: number, max = 1e6) => fc.array(fc.nat(max), { minLength: length, maxLength: length });
const productId = fc.nat(9).map((i) => `p${i}`);
const category = fc.constantFrom("cafe", "books", "park");
/** Amounts in minor units. */
const money = fc.option(fc.constantFrom(0, 1, 100, 1990, 5e6, 1e13));
const currency = fc.option(fc.constantFrom("EUR", "JPY"));
const point = fc.record({
  lat: fc.double({ min: -90, max: 90, noNaN: true }),
  lon: fc.double({ min: -180, max: 180, noNaN: true }),
});
/** Times mostly within 60 days of now, some decades away. */
const time = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: now - 60 * day, max: now + 60 * day }) },
  fc.nat(2 * now),
);
/** Offsets of the Earth's clocks from UTC, to the quarter of an hour. */
const offset = fc.integer({ min: -48, max: 56 }).map((quarters) => (quarters * hour) / 4);

const row = fc
  .record({
    at: fc.option(point),
    category,
    createdAt: time,
    lastTime: fc.oneof(fc.constant(0), time),
    priceMinor: money,
    currency,
    discount: fc.constantFrom(0, 0.25, 1),
    rating: fc.option(fc.nat(10)),
    counts: fc.oneof(fc.constant([0, 0, 0, 0, 0, 0]), counts(6)),
    hot: counts(3),
    hours: counts(24),
    weekdays: counts(7),
    nextProducts: fc.uniqueArray(fc.record({ productId, cell: fc.constant("c"), weight: fc.nat(1000) }), {
      selector: (each) => each.productId,
      maxLength: 8,
    }),
  })
  .map(({ at, ...rest }) => ({ ...rest, lat: at?.lat ?? null, lon: at?.lon ?? null }));

const event = fc.record({
  productId,
  time,
  offset,
  type: fc.constantFrom(...eventTypes),
  at: fc.option(point),
  place: fc.option(point),
  category: fc.option(category),
  priceMinor: money,
  currency,
});

const profile = fc
  .record({ events: fc.array(event, { maxLength: 60 }), home: fc.option(point) })
  .map((drawn) => {
    const profile = emptyProfile();
    for (const { productId, time, offset, place, ...more } of drawn.events)
      applyInteraction(profile, makeInteraction(productId, time, { ...more, ...place }), offset);
    profile.home = drawn.home;
    return profile;
  });

const ranking = fc
  .record({
    profile,
    rows: fc.array(row, { minLength: 1, maxLength: 6 }),
    builtAt: time,
    where: fc.record({ point: fc.option(point), offsetSeconds: offset }),
    trace: fc.record({
      near: fc.double({ min: 0, max: 1, noNaN: true }),
      sources: fc.integer({ min: 1, max: 4 }),
    }),
  })
  .map(({ profile, rows, builtAt, where, trace }) => {
    const block = blockOf(rows, builtAt);
    return { context: contextOf(profile, block, where), block, trace };
  });

/** Returns what `fill` writes to `count` numbers that are initially `before`, and checks that it writes no others. */
function written(
  count: number,
  fill: (out: Float32Array, at: number) => void,
  before = Number.NaN,
): Float32Array {
  const out = new Float32Array(count + 2).fill(Number.NaN);
  out.fill(before, 1, count + 1);
  fill(out, 1);
  expect(out[0]).toBeNaN();
  expect(out[count + 1]).toBeNaN();
  return out.subarray(1, count + 1);
}

describe("computeFeatures", () => {
  it("computes one bounded number for each name, for any profile and product", () => {
    fc.assert(
      fc.property(ranking, ({ context, block, trace }) => {
        const bounded = (name: string, value: number): void => {
          if (!(Math.abs(value) <= 20)) throw new Error(`${name} is ${value}`);
        };
        const events = eventHistoryOf(context);
        const eventFeatures = new Float32Array(historyLength * eventFeatureNames.length).fill(Number.NaN);
        fillEvents(events, eventFeatures);
        eventFeatures.forEach((value, i) => {
          bounded(eventFeatureNames[i % eventFeatureNames.length], value);
        });
        for (let row = 0; row < block.count; row++) {
          for (const { names, fill } of Object.values(featureFamilies))
            written(names.length, (out, at) =>
              fill(rankedBlock(context, block), row, trace, out, at),
            ).forEach((value, i) => {
              bounded(names[i], value);
            });
          written(
            historyLength * pairFeatureNames.length,
            (out, at) => fillPairs(events, rankedBlock(context, block), row, out, at),
            0,
          ).forEach((value, i) => {
            bounded(pairFeatureNames[i % pairFeatureNames.length], value);
          });
        }
      }),
      { numRuns: 300 },
    );
  });

  const pool = new BatchPool(featureShape, 4);

  it("writes the features of each family to the batch, candidate by candidate", () => {
    fc.assert(
      fc.property(ranking, ({ context, block, trace }) => {
        const candidates = Array.from({ length: block.count }, (_, row) => ({ block, row, trace }));
        const batch = computeFeatures(context, candidates);
        const used = pool.acquire(block.count);
        for (const part of [
          used.dense,
          used.pair,
          used.event,
          used.category,
          used.historyCategory,
          used.moment,
        ])
          part.fill(7);
        pool.release(used);
        const again = computeFeatures(context, candidates, pool.acquire(block.count));
        expect(again).toEqual(batch);
        pool.release(again);
        expect(batch.count).toBe(block.count);
        const dense = candidates.flatMap(({ row }) =>
          Object.values(featureFamilies).flatMap(({ names, fill }) => [
            ...written(names.length, (out, at) => fill(rankedBlock(context, block), row, trace, out, at)),
          ]),
        );
        expect([...batch.dense]).toEqual(dense);
        expect(batch.pair).toHaveLength(block.count * historyLength * pairFeatureNames.length);
        expect([...batch.moment]).toEqual([context.hour, 24 + context.weekday]);
        for (const bucket of batch.category) {
          expect(bucket).toBeGreaterThan(0);
          expect(bucket).toBeLessThan(featureShape.categories);
        }
        context.profile.recent
          .slice(-historyLength)
          .reverse()
          .forEach(({ category }, i) => {
            expect(batch.historyCategory[i] === 0).toBe(category === null);
          });
      }),
      { numRuns: 50 },
    );
  });

  it("uses unique feature names, in the order of the families", () => {
    const names = Object.values(featureFamilies).flatMap((family) => family.names);
    expect(featureShape.dense).toEqual(names);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set([...pairFeatureNames, ...eventFeatureNames]).size).toBe(
      pairFeatureNames.length + eventFeatureNames.length,
    );
  });
});
