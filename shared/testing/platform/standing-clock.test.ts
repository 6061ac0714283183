import { describe, expect, it } from "vitest";
import { StandingClock } from "./standing-clock.ts";

describe("StandingClock", () => {
  it("stands still during work, and shows it after the next wait", async () => {
    const clock = new StandingClock();
    clock.work(5);
    expect([clock.now(), clock.passedMs]).toEqual([0, 5]);
    const waiting = clock.wait(2);
    expect(clock.now()).toBe(0);
    await waiting;
    expect([clock.now(), clock.passedMs]).toEqual([7, 7]);
  });
});
