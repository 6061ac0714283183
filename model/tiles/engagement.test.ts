import { describe, expect, it } from "vitest";
import { time } from "../retrieval/testing.ts";
import { decayedEngagement } from "./engagement.ts";

describe("decayedEngagement", () => {
  it("halves with each half-life, for any order of hours", () => {
    const hour = {
      hour: Math.floor(time / 3600),
      view: 1,
      click: 0,
      cart: 0,
      purchase: 0,
      dismiss: 0,
      people: 1,
      buyers: 0,
    };
    const older = { ...hour, hour: hour.hour - 24 };
    const at = hour.hour * 3600;
    expect(decayedEngagement([hour], at)).toEqual([1, 1, 1]);
    expect(decayedEngagement([older], at)[0]).toBeCloseTo(0.5, 9);
    expect(decayedEngagement([hour, older], at)).toEqual(decayedEngagement([older, hour], at));
  });
});
