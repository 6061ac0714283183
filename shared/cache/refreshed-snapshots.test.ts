import { describe, expect, it, vi } from "vitest";
import { RefreshedSnapshots } from "./refreshed-snapshots.ts";

/** Snapshots of texts whose clock stands where the test puts it, and the work that waits for the background. */
function snapshots(maxSize = 100) {
  const clock = { ms: 1000 };
  const background: Promise<unknown>[] = [];
  const cache = new RefreshedSnapshots<string>({
    ...{ failure: "texts not read", maxAgeMs: 5000, maxSize, sizeOf: ({ length }) => length },
    now: () => clock.ms,
  });
  const get = (read: () => Promise<string>) => cache.get("demo", read, (work) => background.push(work));
  return { cache, clock, background, get };
}

const never = async (): Promise<string> => {
  throw new Error("must not be read");
};

describe("RefreshedSnapshots", () => {
  it("waits for the first read only, and reads an old value again after the answer, once", async () => {
    const { clock, background, get } = snapshots();
    expect(await get(async () => "first")).toBe("first");
    clock.ms += 5000;
    expect(await get(never)).toBe("first");
    clock.ms += 1;
    const reading = Promise.withResolvers<string>();
    expect(await get(() => reading.promise)).toBe("first");
    expect(await get(never)).toBe("first");
    expect(background).toHaveLength(1);
    reading.resolve("second");
    await background[0];
    expect(await get(never)).toBe("second");
  });

  it("keeps the value while reads in the background fail, and rejects a first read that fails", async () => {
    const { cache, clock, background, get } = snapshots();
    await expect(get(async () => Promise.reject(new Error("down")))).rejects.toThrow("down");
    expect(cache.known("demo")).toBeUndefined();
    await get(async () => "first");
    clock.ms += 6000;
    const log = vi.spyOn(console, "error").mockReturnValue();
    await get(async () => Promise.reject(new Error("down")));
    await background[0];
    expect(log).toHaveBeenCalledWith({ event: "texts not read", application: "demo", error: "Error: down" });
    log.mockRestore();
    expect(await get(never)).toBe("first");
  });

  it("undoes nothing of a read that started later", async () => {
    const { cache } = snapshots();
    const slow = Promise.withResolvers<string>();
    const reading = cache.refresh("demo", () => slow.promise);
    await cache.refresh("demo", async () => "new");
    slow.resolve("old");
    expect(await reading).toBe("new");
    expect(cache.known("demo")).toBe("new");
  });

  it("forgets other applications where there is no room", async () => {
    const { cache } = snapshots(10);
    await cache.refresh("demo", async () => "12345678");
    await cache.refresh("other", async () => "1234");
    expect([cache.known("demo"), cache.known("other")]).toEqual([undefined, "1234"]);
  });
});
