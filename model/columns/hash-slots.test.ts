import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HashSlots } from "./hash-slots.ts";

/** Few different hashes, which differ in their upper or lower bits only, so that slots collide. */
const hashes = fc.array(
  fc.record({ high: fc.nat(3), low: fc.nat(40) }).map(({ high, low }) => high * 2 ** 32 + low),
  { maxLength: 300 },
);

/** Returns the entries that a search for a hash finds, in its order. */
function entriesOf(slots: HashSlots, hash: number): number[] {
  const found: number[] = [];
  for (let slot = slots.first(hash); slots.entryAt(slot) >= 0; slot = slots.next(slot))
    if (slots.hashOf(slots.entryAt(slot)) === hash) found.push(slots.entryAt(slot));
  return found;
}

describe("HashSlots", () => {
  it("finds all entries of a hash, however many are added and expected", () => {
    fc.assert(
      fc.property(hashes, fc.nat(400), (list, expected) => {
        const slots = new HashSlots(expected);
        for (const hash of list) slots.add(hash);
        expect(slots.count).toBe(list.length);
        for (const hash of new Set([...list, 12345]))
          expect(entriesOf(slots, hash).sort((a, b) => a - b)).toEqual(
            list.flatMap((each, i) => (each === hash ? [i] : [])),
          );
      }),
    );
  });

  it("adds a hash once if it must be new", () => {
    fc.assert(
      fc.property(hashes, (list) => {
        const slots = new HashSlots();
        const seen = new Set<number>();
        for (const hash of list) {
          expect(slots.addNew(hash)).toBe(!seen.has(hash));
          seen.add(hash);
        }
        expect(slots.count).toBe(seen.size);
      }),
    );
  });
});
