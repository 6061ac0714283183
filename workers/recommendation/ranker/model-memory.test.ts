import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ModelMemory, type ModelUse } from "./model-memory.ts";

/** Returns a memory, the models that it dropped, and a clock in milliseconds. */
function memoryOf(maxRegistered: number, maxTotal = maxRegistered) {
  const dropped: string[] = [];
  const clock = { now: 1 };
  const memory = new ModelMemory<string>(
    { maxRegistered, maxTotal },
    ({ application, identity }) => dropped.push(`${application} ${identity}`),
    () => clock.now,
  );
  /** Loads a model as the ranker does. Returns whether it had a place. */
  const load = (application: string, identity: string, use: ModelUse, bytes = 1): boolean => {
    clock.now++;
    if (memory.get(application, identity) !== null) return true;
    const place = memory.reserve({ application, use, bytes });
    if (place === null) return false;
    memory.hold(place, { application, identity, use, bytes, value: identity });
    return true;
  };
  return { memory, dropped, clock, load };
}

describe("ModelMemory", () => {
  it("loads nothing again and again where two tenants with a candidate each do not fit", () => {
    const { dropped, load, memory } = memoryOf(3);
    const wanted: [string, string, ModelUse][] = [
      ["a", "a1", "serving"],
      ["a", "a2", "candidate"],
      ["b", "b1", "serving"],
      ["b", "b2", "candidate"],
    ];
    expect(wanted.map((each) => load(...each))).toEqual([true, true, true, false]);
    for (let round = 0; round < 100; round++)
      expect(wanted.map((each) => load(...each))).toEqual([true, true, true, false]);
    expect(dropped).toEqual([]);
    // The candidate's rollout ends: the other one has its place.
    memory.assign("a", new Map([["a1", "serving"]]));
    expect(load("b", "b2", "candidate")).toBe(true);
    expect(dropped).toEqual(["a a2"]);
  });

  it("gives the place of a candidate to a model that serves, of the application that holds the most first", () => {
    const { dropped, load } = memoryOf(4);
    load("a", "a1", "serving");
    load("a", "a2", "candidate");
    load("b", "b2", "candidate");
    load("c", "c1", "serving");
    expect(load("d", "d1", "serving")).toBe(true);
    expect(dropped).toEqual(["a a2"]);
    // Its own candidate gives way too.
    expect(load("b", "b1", "serving")).toBe(true);
    expect(dropped).toEqual(["a a2", "b b2"]);
    expect(load("e", "e1", "serving")).toBe(false);
  });

  it("lets no candidate and no trial displace what serves, and no small application lose to a larger one", () => {
    const { dropped, load } = memoryOf(4, 5);
    load("large", "l1", "serving", 3);
    expect(load("small", "s1", "serving")).toBe(true);
    expect(load("small", "s2", "candidate")).toBe(false);
    expect(load("small", "s3", "trial")).toBe(true);
    expect(load("small", "s4", "trial")).toBe(false);
    expect(load("large", "l2", "serving", 2)).toBe(false);
    expect(dropped).toEqual([]);
    // The application that holds more than the other one would gives way to a model that serves.
    expect(load("other", "o1", "serving")).toBe(true);
    expect(dropped).toEqual(["large l1"]);
  });

  it("takes the places of models that nobody used: after 30 s of those on trial, after ten minutes of others", () => {
    const { clock, dropped, load } = memoryOf(2, 3);
    load("a", "a1", "serving");
    load("b", "b1", "serving");
    load("c", "c1", "trial");
    clock.now += 30_000;
    expect(load("d", "d1", "trial")).toBe(true);
    expect(load("e", "e1", "serving")).toBe(false);
    clock.now += 600_000;
    load("b", "b1", "serving");
    expect(load("e", "e1", "serving")).toBe(true);
    expect(dropped).toEqual(["c c1", "a a1"]);
  });

  it("keeps a model on trial that serves afterwards, if there is a place for it", () => {
    const { dropped, load, memory } = memoryOf(1, 2);
    load("a", "a1", "trial");
    memory.assign("a", new Map([["a1", "serving"]]));
    expect(load("b", "b1", "trial")).toBe(true);
    memory.assign("b", new Map([["b1", "serving"]]));
    expect(load("c", "c1", "trial")).toBe(false);
    expect(dropped).toEqual([]);
  });

  it("counts what is being loaded, and forgets a load that never ends", () => {
    const { clock, memory } = memoryOf(2);
    const wanted = { application: "a", use: "serving", bytes: 2 } as const;
    const place = memory.reserve(wanted);
    expect(place).not.toBeNull();
    expect(memory.reserve(wanted)).toBeNull();
    clock.now += 60_000;
    expect(memory.reserve(wanted)).not.toBeNull();
  });

  it("stays within its bounds, and is stable: what was refused once is refused again", () => {
    const use = fc.constantFrom<ModelUse>("serving", "candidate", "trial");
    const model = fc.tuple(
      fc.constantFrom("a", "b", "c", "d"),
      fc.nat(3),
      use,
      fc.integer({ min: 1, max: 5 }),
    );
    fc.assert(
      fc.property(fc.array(model, { minLength: 1, maxLength: 12 }), (models) => {
        const { dropped, load, memory } = memoryOf(8, 10);
        const wanted = new Map(models.map((each) => [`${each[0]} ${each[1]}`, each]));
        const round = (): boolean[] =>
          [...wanted.values()].map(([application, number, use, bytes]) => {
            const held = load(application, `${number}`, use, bytes);
            expect(memory.bytes).toBeLessThanOrEqual(10);
            return held;
          });
        for (let i = 0; i < wanted.size; i++) round();
        const stable = round();
        const before = dropped.length;
        expect(round()).toEqual(stable);
        expect(dropped).toHaveLength(before);
      }),
      { numRuns: 300 },
    );
  });
});
