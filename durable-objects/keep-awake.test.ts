import { describe, expect, it } from "vitest";
import { type AwakeObjects, type Clock, KeepAwake, keepAwakeSettingsOf } from "./keep-awake.ts";

/** A clock that only `pass` moves. */
class TestClock implements Clock {
  #now = 0;
  readonly #waiting: { at: number; resolve: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ at: this.#now + ms, resolve }));
  }

  /** Lets time pass, and the waits that are over continue. */
  async pass(seconds: number): Promise<void> {
    this.#now += seconds * 1000;
    for (const { at, resolve } of this.#waiting) if (at <= this.#now) resolve();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

/** Returns an object with its unfinished work. */
function objectOf(clock: Clock, awake: AwakeObjects, objects: number) {
  let unfinished = 0;
  const waitUntil = (work: Promise<unknown>): void => {
    unfinished++;
    void work.finally(() => unfinished--);
  };
  const keep = new KeepAwake({ waitUntil }, { objects, seconds: 60 }, awake, clock);
  return { keep, isAwake: () => unfinished > 0 };
}

describe("KeepAwake", () => {
  it("keeps an object awake until some time after its last call", async () => {
    const [clock, awake] = [new TestClock(), { count: 0 }];
    const { keep, isAwake } = objectOf(clock, awake, 5);
    keep.called();
    await clock.pass(50);
    keep.called();
    await clock.pass(50);
    expect([isAwake(), awake.count]).toEqual([true, 1]);
    await clock.pass(10);
    expect([isAwake(), awake.count]).toEqual([false, 0]);
    keep.called();
    expect([isAwake(), awake.count]).toEqual([true, 1]);
  });

  it("keeps at most the given number awake, and others as soon as one is not", async () => {
    const [clock, awake] = [new TestClock(), { count: 0 }];
    const objects = Array.from({ length: 3 }, () => objectOf(clock, awake, 2));
    for (const { keep } of objects) keep.called();
    expect(objects.map(({ isAwake }) => isAwake())).toEqual([true, true, false]);
    await clock.pass(30);
    objects[1].keep.called();
    await clock.pass(30);
    objects[2].keep.called();
    expect(objects.map(({ isAwake }) => isAwake())).toEqual([false, true, true]);
  });
});

describe("KEEP_AWAKE", () => {
  it("keeps no object awake by default, and names a wrong value", () => {
    const { objects, seconds } = keepAwakeSettingsOf({});
    expect(objects).toBe(0);
    const keep = objectOf(new TestClock(), { count: 0 }, objects);
    keep.keep.called();
    expect(keep.isAwake()).toBe(false);
    expect(keepAwakeSettingsOf({ KEEP_AWAKE: '{"objects":7}' })).toEqual({ objects: 7, seconds });
    expect(() => keepAwakeSettingsOf({ KEEP_AWAKE: '{"object":7}' })).toThrow("object");
  });
});
