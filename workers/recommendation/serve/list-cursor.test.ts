import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { maxCursorLength, recommendationInput } from "../../../shared/contracts/recommendation.ts";
import { type PseudonymKeys, pseudonymKeysOf } from "../../../shared/pseudonyms/pseudonym-keys.ts";
import { hashRequest, type ListPosition, openPosition, sealPosition } from "./list-cursor.ts";

const position: ListPosition = {
  ...{ user: "ab".repeat(32), request: "cd".repeat(32), startedAt: 1_760_000_000.25, seed: 7 },
  ...{ first: "r1", shown: ["p1", "Crème brûlée", "p3"] },
};

describe("a list cursor", () => {
  let keys: PseudonymKeys;

  beforeAll(async () => {
    keys = await pseudonymKeysOf({ PSEUDONYM_SECRET: "a".repeat(32) });
  });

  it("opens to its position, and never has the same text twice", async () => {
    const cursor = await sealPosition(keys, "demo", position);
    expect(await openPosition(keys, "demo", cursor)).toEqual(position);
    expect(await sealPosition(keys, "demo", position)).not.toBe(cursor);
  });

  it("is refused if any character is another, missing or added, and for another application or secret", async () => {
    const cursor = await sealPosition(keys, "demo", position);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(cursor.length - 1),
        fc.constantFrom("A", "z", "-", "", "=", "é"),
        async (at, other) => {
          fc.pre(cursor[at] !== other);
          expect(
            await openPosition(keys, "demo", cursor.slice(0, at) + other + cursor.slice(at + 1)),
          ).toBeNull();
        },
      ),
    );
    const others = await pseudonymKeysOf({ PSEUDONYM_SECRET: "b".repeat(32) });
    expect(await openPosition(keys, "demo2", cursor)).toBeNull();
    expect(await openPosition(others, "demo", cursor)).toBeNull();
    for (const wrong of ["", "A", "AAAA", "A".repeat(80), `${cursor}A`, "x".repeat(maxCursorLength + 1)])
      expect(await openPosition(keys, "demo", wrong)).toBeNull();
  });

  it("fits its limit with 500 products of the longest ids", async () => {
    const shown = Array.from({ length: 500 }, (_, i) => `${i}`.padEnd(128, '"'));
    const cursor = await sealPosition(keys, "demo", { ...position, shown });
    expect(cursor.length).toBeLessThanOrEqual(maxCursorLength);
    expect((await openPosition(keys, "demo", cursor))?.shown).toEqual(shown);
  });
});

describe("hashRequest", () => {
  const hash = (input: object) => hashRequest(recommendationInput.parse({ userId: "ann", ...input }));

  it("is the same for the next page: in any order of fields, with another length, place and explanation", async () => {
    const first = await hash({ limit: 10, boost: { a: 1, b: 2 }, filter: { radiusKm: 2, priceMax: 5 } });
    const next = await hash({
      ...{ filter: { priceMax: 5, radiusKm: 2 }, boost: { b: 2, a: 1 } },
      ...{ limit: 20, explain: true, budgetMs: 100, location: { lat: 1, lon: 2 }, cursor: "c" },
    });
    expect(next).toBe(first);
    expect(await hash({ exclude: [], filter: {} })).toBe(await hash({}));
  });

  it("is another one for another list", async () => {
    const hashes = await Promise.all(
      [{}, { scenario: "home" }, { diversity: 0.1 }, { exclude: ["a"] }, { exclude: ["a", "b"] }].map(hash),
    );
    expect(new Set([...hashes, await hash({ exclude: ["b", "a"] })]).size).toBe(6);
  });
});
