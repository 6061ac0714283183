import { describe, expect, it } from "vitest";
import { encodeSummaries, trainingStart } from "./example-summary.ts";
import type { LoggedExample } from "./logged-examples.ts";

const summaries = encodeSummaries(
  Array.from(
    { length: 100 },
    (_, time): LoggedExample => ({
      ...{ id: time, time, pseudonym: "u", country: null, modelVersion: "v", variant: "", weight: 1 },
      ...{ candidates: 10, rows: [], features: new Uint8Array() },
    }),
  ),
  0,
);

describe("trainingStart", () => {
  it("is where the serving model stopped to learn, if enough lists are left before the calibration", () => {
    expect(trainingStart(summaries, 80, 40, 40)).toBe(40);
    expect(trainingStart(summaries, 80, 41, 40)).toBe(0);
    expect(trainingStart(summaries, 80, 0, 40)).toBe(0);
  });
});
