import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ShareCache } from "./share-cache.ts";

describe("ShareCache", () => {
  it("lets an application that floods the cache displace its own entries only", () => {
    const cache = new ShareCache<number>({ maxSize: 100 });
    for (let i = 0; i < 10; i++) cache.set("small", `k${i}`, i);
    for (let i = 0; i < 10_000; i++) cache.set("flood", `k${i}`, i);
    expect(Array.from({ length: 10 }, (_, i) => cache.get("small", `k${i}`))).toEqual([...Array(10).keys()]);
    expect(cache.get("flood", "k9999")).toBe(9999);
    expect(cache.count).toBe(100);
  });

  it("gives one application all of the cache, and takes it back from one that is idle", () => {
    let time = 0;
    const cache = new ShareCache<number>({ maxSize: 10, idleMs: 1000, now: () => time });
    for (let i = 0; i < 4; i++) cache.set("idle", `k${i}`, i);
    time = 1001;
    for (let i = 0; i < 10; i++) cache.set("busy", `k${i}`, i);
    expect(Array.from({ length: 10 }, (_, i) => cache.get("busy", `k${i}`))).toEqual([...Array(10).keys()]);
    expect(cache.get("idle", "k3")).toBeUndefined();
  });

  it("forgets what nobody used for a while, in all applications, if it is told to", () => {
    let time = 0;
    const cache = new ShareCache<number>({ maxSize: 100, idleMs: 1000, forgetsIdle: true, now: () => time });
    for (const application of ["a", "b"]) for (const key of ["old", "used"]) cache.set(application, key, 1);
    time = 600;
    for (const application of ["a", "b"]) cache.get(application, "used");
    time = 1001;
    cache.set("c", "new", 1);
    expect(cache.count).toBe(3);
    for (const application of ["a", "b"])
      expect(["old", "used"].map((key) => cache.get(application, key))).toEqual([undefined, 1]);
  });

  it("evicts the least recently used entry of the application that holds the most", () => {
    const cache = new ShareCache<string>({ maxSize: 12, sizeOf: (value) => value.length });
    cache.set("a", "1", "xxxx");
    cache.set("a", "2", "xxxx");
    cache.set("b", "1", "xxx");
    cache.get("a", "1");
    cache.set("b", "2", "xx");
    expect(["1", "2"].map((key) => cache.get("a", key))).toEqual(["xxxx", undefined]);
    expect(["1", "2"].map((key) => cache.get("b", key))).toEqual(["xxx", "xx"]);
    expect(cache.size).toBe(9);
  });

  it("hands over what it evicts, replaces and deletes, once", () => {
    const deleted: [string, string, number][] = [];
    const cache = new ShareCache<number>({ maxSize: 2, onDelete: (...entry) => deleted.push(entry) });
    cache.set("a", "1", 1);
    cache.set("a", "2", 2);
    cache.set("a", "3", 3);
    cache.set("a", "2", 4);
    cache.delete("a", "3");
    cache.delete("a", "3");
    expect(deleted).toEqual([
      ["a", "1", 1],
      ["a", "2", 2],
      ["a", "3", 3],
    ]);
    expect(cache.size).toBe(1);
  });

  it("never exceeds its size, returns only what was set last, and keeps an equal share of everybody", () => {
    const applications = ["a", "b", "c"];
    const step = fc.record({
      application: fc.constantFrom(...applications),
      key: fc.integer({ min: 0, max: 30 }).map(String),
      action: fc.constantFrom("get", "set", "set", "set", "delete"),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), fc.integer({ min: 3, max: 40 }), (steps, maxSize) => {
        const cache = new ShareCache<number>({ maxSize, now: () => 0 });
        /** What each application set and did not delete, the newest last. */
        const wanted = new Map(applications.map((name) => [name, new Map<string, number>()]));
        const equalShare = Math.floor(maxSize / applications.length);
        /** Applications that never wanted more than an equal share. */
        const modest = new Set(applications);
        for (const [i, { application, key, action }] of steps.entries()) {
          const own = wanted.get(application) as Map<string, number>;
          if (action === "set") {
            cache.set(application, key, i);
            own.delete(key);
            own.set(key, i);
            if (own.size > equalShare) modest.delete(application);
          } else if (action === "delete") {
            cache.delete(application, key);
            own.delete(key);
          } else {
            const value = cache.get(application, key);
            if (value !== undefined) expect(value).toBe(own.get(key));
          }
          expect(cache.size).toBeLessThanOrEqual(maxSize);
          expect(cache.count).toBe(cache.size);
        }
        for (const [application, own] of wanted)
          if (modest.has(application))
            for (const [key, value] of own) expect(cache.get(application, key)).toBe(value);
      }),
      { numRuns: 500 },
    );
  });
});
