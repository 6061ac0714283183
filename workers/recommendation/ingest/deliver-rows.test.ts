import { describe, expect, it } from "vitest";
import type { AcceptedInteraction } from "../../../shared/contracts/event.ts";
import { splitByCells, transitionsOf } from "./deliver-rows.ts";

const hour = 472_222;
const choice = (
  eventId: string,
  seconds: number,
  more: Partial<AcceptedInteraction> = {},
): AcceptedInteraction => ({
  eventId,
  type: "view",
  productId: "b",
  time: hour * 3600 + seconds,
  recommendationId: null,
  location: null,
  facts: { cell: "c", lat: null, lon: null, category: null, priceMinor: null, currency: null, ...more.facts },
  counts: true,
  networkKey: null,
  first: false,
  firstPurchase: false,
  previous: [{ productId: "a", cell: "c", counts: true }],
  ...more,
});
const keysOf = (user: string, interaction: AcceptedInteraction): number[] =>
  transitionsOf(user, interaction).map(({ key }) => key);

describe("transitionsOf", () => {
  it("L9: gives a transition that a user repeats in the same hour the same key and time", () => {
    const [first] = transitionsOf("u", choice("e1", 10));
    const [repeated] = transitionsOf("u", choice("e2", 3500));
    expect(repeated).toEqual(first);
    expect(first.time).toBe(hour * 3600);
  });

  it("L9: gives another user, hour, product or gap another key", () => {
    const previous = [
      { productId: "a", cell: "c", counts: true },
      { productId: "x", cell: "c", counts: true },
    ];
    const keys = [
      ...keysOf("u", choice("e", 0)),
      ...keysOf("v", choice("e", 0)),
      ...keysOf("u", choice("e", 3600)),
      ...keysOf("u", choice("e", 0, { productId: "c" })),
      ...keysOf("u", choice("e", 0, { previous })),
    ];
    expect(new Set(keys).size).toBe(6);
  });

  it("S5: adds none for an interaction, or from a choice, that does not count", () => {
    expect(transitionsOf("u", choice("e", 0, { counts: false }))).toEqual([]);
    const previous = [
      { productId: "a", cell: "c", counts: false },
      { productId: "x", cell: "c", counts: true },
    ];
    expect(transitionsOf("u", choice("e", 0, { previous }))).toMatchObject([{ from: "x", gap: 1 }]);
  });

  it("L6: adds none for a dismissal", () => {
    expect(transitionsOf("u", choice("e", 0, { type: "dismiss" }))).toEqual([]);
  });
});

describe("splitByCells", () => {
  it("keeps what one cell gets together, with at most so many cells in a call", () => {
    const totals = Array.from({ length: 100 }, (_, i) => ({ cell: `c${i % 40}`, i }));
    const transitions = Array.from({ length: 100 }, (_, i) => ({ fromCell: `c${i % 50}`, i }));
    const calls = splitByCells(totals, transitions, 20);
    const cellsOf = (call: (typeof calls)[number]) =>
      new Set([...call.totals.map(({ cell }) => cell), ...call.transitions.map(({ fromCell }) => fromCell)]);
    expect(calls.map((call) => cellsOf(call).size)).toEqual([20, 20, 10]);
    const order = (a: { i: number }, b: { i: number }) => a.i - b.i;
    expect(calls.flatMap((call) => call.totals).sort(order)).toEqual(totals);
    expect(calls.flatMap((call) => call.transitions).sort(order)).toEqual(transitions);
    expect(splitByCells([], [])).toEqual([]);
  });
});
