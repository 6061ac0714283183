import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eventTypes } from "../../shared/contracts/event.ts";
import {
  decodeId,
  decodeMarks,
  decodeTime,
  encodeCoordinate,
  encodeId,
  encodeMarks,
  encodeTime,
} from "./compact-columns.ts";

const hexDigits = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));

describe("compact columns", () => {
  it("keep every id", () => {
    const anyId = fc.oneof(
      fc.uuid(),
      fc.uuid().map((id) => id.toUpperCase()),
      fc.integer({ min: 0, max: 40 }).chain(hexDigits),
      fc.stringMatching(/^[\w-]{1,90}$/),
      fc.stringMatching(/^[\w-]{20}$/),
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }),
    );
    fc.assert(
      fc.property(anyId, (id) => {
        expect(decodeId(encodeId(id))).toBe(id);
      }),
      { numRuns: 2000 },
    );
    expect(encodeId("0f8fad5b-d9cb-469f-a165-70867728950e")).toHaveLength(1 + 2 * 16);
    expect(encodeId("A".repeat(80))).toHaveLength(1 + 2 * 61);
    expect(encodeId("p-1")).toBe("tp-1");
  });

  it("keep different ids different", () => {
    const near = fc.stringMatching(/^[0-9a-fA-F_-]{14,18}$/);
    fc.assert(
      fc.property(near, near, (a, b) => {
        expect(encodeId(a) === encodeId(b)).toBe(a === b);
      }),
      { numRuns: 2000 },
    );
  });

  it("keep types and flags, each in a byte", () => {
    for (const type of eventTypes)
      for (let flags = 0; flags < 8; flags++) {
        const marks = { type, first: flags & 1, firstPurchase: (flags >> 1) & 1, counts: flags >> 2 };
        expect(decodeMarks(encodeMarks(marks))).toEqual(marks);
        expect(encodeMarks(marks)).toBeLessThan(128);
      }
  });

  it("keep coordinates, and times in milliseconds", () => {
    fc.assert(
      fc.property(fc.double({ min: -180, max: 180, noNaN: true }), (degrees) => {
        const stored = encodeCoordinate(degrees) ?? Number.NaN;
        expect((Number.isInteger(stored) && stored !== degrees ? stored / 1e7 : stored) + 0).toBe(
          degrees + 0,
        );
      }),
    );
    expect(encodeCoordinate(59.9139)).toBe(599_139_000);
    expect(encodeCoordinate(1)).toBe(10_000_000);
    expect(encodeCoordinate(null)).toBeNull();
    fc.assert(
      fc.property(fc.integer({ min: -4e12, max: 4e12 }), (ms) => {
        expect(decodeTime(encodeTime(ms / 1000))).toBe(ms / 1000);
      }),
    );
  });
});
