import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eventInput } from "./event.ts";
import { decodeWorth, differingFields, type EventContent, encodeWorth } from "./event-content.ts";

const event = { eventId: "e", userId: "u", type: "purchase", productId: "p" };
const problemOf = (more: object): [PropertyKey | undefined, string | undefined] | null => {
  const parsed = eventInput.safeParse({ ...event, ...more });
  const issue = parsed.error?.issues[0];
  return parsed.success ? null : [issue?.path[0], issue?.message];
};

describe("the value of an event", () => {
  it("has the digits of its currency, and comes with it", () => {
    expect(problemOf({ value: 19.95, currency: "EUR", quantity: 2 })).toBeNull();
    expect(problemOf({ value: null, currency: null, quantity: null })).toBeNull();
    expect(problemOf({ quantity: 3 })).toBeNull();
    expect(problemOf({ value: 19.955, currency: "KWD" })).toBeNull();
    expect(problemOf({ value: 19.95, currency: "JPY" })).toEqual([
      "value",
      expect.stringContaining("whole number"),
    ]);
    expect(problemOf({ value: 19.95 })).toEqual(["currency", "must be given with `value`"]);
    expect(problemOf({ currency: "EUR" })).toEqual(["value", "must be given with `currency`"]);
    for (const more of [{ value: -1, currency: "EUR" }, { quantity: 0 }, { quantity: 1.5 }])
      expect(problemOf(more)).not.toBeNull();
  });

  it("survives its short text, and differs only where both events say something", () => {
    const worths = fc.record(
      {
        value: fc.record({ minor: fc.maxSafeNat(), currency: fc.constantFrom("EUR", "JPY") }),
        quantity: fc.integer({ min: 1, max: 100_000 }),
      },
      { requiredKeys: [] },
    );
    const content = (worth: string | null): EventContent => ({
      ...{ type: "purchase", product: "p", time: null, recommendation: null, location: null, worth },
    });
    fc.assert(
      fc.property(worths, worths, (a, b) => {
        expect(decodeWorth(encodeWorth(a))).toEqual(a);
        const differs = differingFields(content(encodeWorth(a)), content(encodeWorth(b)));
        const expected = [
          ...(a.value && b.value && a.value.minor !== b.value.minor ? ["value"] : []),
          ...(a.value && b.value && a.value.currency !== b.value.currency ? ["currency"] : []),
          ...(a.quantity && b.quantity && a.quantity !== b.quantity ? ["quantity"] : []),
        ];
        expect(differs).toEqual(expected);
      }),
    );
  });
});
