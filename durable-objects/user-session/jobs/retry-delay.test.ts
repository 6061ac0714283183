import { expect, it } from "vitest";
import { afterFailure, retryDelay, scanRetryDelays } from "./retry-delay.ts";

it("doubles the delay with each failure, up to the longest one", () => {
  expect([0, 1, 5, 6, 100].map((failures) => retryDelay(failures, scanRetryDelays))).toEqual([
    5, 10, 160, 300, 300,
  ]);
});

it("schedules a failed step after the delay, and counts the failure", () => {
  const state = { id: "a", failures: 1, due: 900 };
  expect(afterFailure(state, 1000, scanRetryDelays)).toEqual({ id: "a", failures: 2, due: 1010 });
});
