import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "../train/random.ts";
import { drawOrder, explore } from "./exploration.ts";
import { exploreAroundPins } from "./explore-around-pins.ts";

const order = Array.from({ length: 30 }, (_, i) => i);

describe("explore", () => {
  it("shows each item once, changes only the last position, and returns all items in play", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 1, max: 40 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer(),
        (length, limit, rate, seed) => {
          const random = new Random(seed);
          const list = order.slice(0, length);
          const inPlay = explore(list, limit, { rate, depth: 10 }, () => random.next());
          const shown = inPlay.filter(({ position }) => position > 0);
          const items = shown.map(({ item }) => item);
          expect(items).toHaveLength(Math.min(limit, list.length));
          expect(shown.map(({ position }) => position)).toEqual(items.map((_, i) => i + 1));
          expect(items.slice(0, -1)).toEqual(list.slice(0, Math.max(0, items.length - 1)));
          expect(shown.slice(0, -1).every(({ propensity }) => propensity === 1)).toBe(true);
          for (const { propensity } of shown) expect(propensity > 0 || rate === 1).toBe(true);
          expect(new Set(inPlay.map(({ item }) => item)).size).toBe(inPlay.length);
          for (const { item, rank } of inPlay) expect(list[rank - 1]).toBe(item);
          expect(inPlay.reduce((sum, { propensity }) => sum + propensity, 0)).toBeCloseTo(items.length, 9);
        },
      ),
    );
  });

  it("returns propensities that agree with the observed frequencies", () => {
    const random = new Random(3);
    const runs = 200_000;
    const counted = new Map<number, number>();
    for (let i = 0; i < runs; i++) {
      const { item } = explore(order, 10, { rate: 0.2, depth: 8 }, () => random.next())[9];
      counted.set(item, (counted.get(item) ?? 0) + 1 / runs);
    }
    const logged = explore(order, 10, { rate: 0.2, depth: 8 }, () => random.next()).slice(9);
    expect(logged.map(({ item }) => item).sort((a, b) => a - b)).toEqual([9, 10, 11, 12, 13, 14, 15, 16, 17]);
    for (const { item, propensity } of logged)
      expect(Math.abs(propensity - (counted.get(item) ?? 0))).toBeLessThan(0.004);
  });

  it("does not change short lists, lists without further items, or lists at rate 0", () => {
    const always = { rate: 1, depth: 5 };
    for (const shown of [
      explore(order, 4, always, () => 0),
      explore(order.slice(0, 10), 10, always, () => 0),
      explore(order, 10, { rate: 0, depth: 5 }, () => 0),
    ])
      expect(shown.every(({ item, propensity }, i) => item === i && propensity === 1)).toBe(true);
  });

  it("shows only items that it may, each as likely, with the propensities of that choice", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 5, max: 15 }),
        fc.integer({ min: 1, max: 20 }),
        fc.subarray(order),
        fc.double({ min: 0.01, max: 0.5, noNaN: true }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (limit, depth, allowed, rate, draw) => {
          const others = order.slice(limit, limit + depth).filter((item) => allowed.includes(item));
          const mayExplore = (item: number) => allowed.includes(item);
          const inPlay = explore(order, limit, { rate, depth }, () => draw, mayExplore);
          expect(
            inPlay
              .filter(({ rank }) => rank > limit)
              .map(({ item }) => item)
              .sort((a, b) => a - b),
          ).toEqual(others);
          for (const { rank, item, propensity } of inPlay) {
            expect(order[rank - 1]).toBe(item);
            if (rank > limit) expect(propensity).toBe(rate / others.length);
            else if (rank === limit) expect(propensity).toBe(others.length === 0 ? 1 : 1 - rate);
          }
        },
      ),
    );
  });
});

describe("drawOrder", () => {
  it("shows the first items and the next ones that it may, each at most once, with their ranks", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 15 }),
        fc.integer({ min: 1, max: 12 }),
        fc.subarray(order),
        fc.integer(),
        (limit, depth, allowed, seed) => {
          const random = new Random(seed);
          const { inPlay, rankTemperature } = drawOrder(
            order,
            limit,
            { depth },
            0.7,
            () => random.next(),
            (item) => allowed.includes(item),
          );
          expect(rankTemperature).toBe(0.7);
          const pool = [
            ...order.slice(0, limit),
            ...order.slice(limit, limit + depth).filter((item) => allowed.includes(item)),
          ];
          expect(inPlay.map(({ item }) => item).sort((a, b) => a - b)).toEqual(pool);
          for (const { item, rank } of inPlay) expect(order[rank - 1]).toBe(item);
          expect(inPlay.slice(0, limit).map(({ position }) => position)).toEqual(
            Array.from({ length: limit }, (_, i) => i + 1),
          );
          expect(inPlay.slice(limit).every(({ position }) => position === 0)).toBe(true);
        },
      ),
    );
  });
});

describe("exploreAroundPins", () => {
  it("draws the order in the share of the lists that is set, but not of short or pinned lists", () => {
    const random = new Random(8);
    const drawnShare = (limit: number, pin?: number): number => {
      let drawn = 0;
      for (let n = 0; n < 1000; n++) {
        const { rankTemperature } = exploreAroundPins(
          order,
          (item) => (item === 3 ? pin : undefined),
          limit,
          { rate: 0.1, depth: 5, drawn: { share: 0.2, temperature: 1 } },
          () => random.next(),
        );
        if (rankTemperature !== undefined) drawn++;
      }
      return drawn / 1000;
    };
    expect(Math.abs(drawnShare(10) - 0.2)).toBeLessThan(0.05);
    expect(drawnShare(4)).toBe(0);
    expect(drawnShare(10, 2)).toBe(0);
  });
});
