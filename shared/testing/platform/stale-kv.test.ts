import { describe, expect, it } from "vitest";
import { StaleKv } from "./stale-kv.ts";

const bytes = (text: string): ArrayBuffer => new TextEncoder().encode(text).buffer as ArrayBuffer;
const text = (value: ArrayBuffer | null): string | null => value && new TextDecoder().decode(value);

/** Returns a KV whose readers see what was written `lag` (0 to 1) of a minute ago, and a clock in milliseconds. */
function kvWithClock(lag: number) {
  const clock = { now: 1_000_000 };
  const kv = new StaleKv(
    () => clock.now,
    () => lag,
  );
  const read = async (location: string, key: string, cacheTtl?: number) =>
    text(await kv.location(location).get(key, { type: "arrayBuffer", cacheTtl }));
  return { kv, clock, read };
}

describe("StaleKv", () => {
  it("shows a write at once where it was made, and elsewhere as late as a minute", async () => {
    const { kv, clock, read } = kvWithClock(0.99);
    await kv.location("oslo").put("a", bytes("1"));
    expect([await read("oslo", "a"), await read("lima", "a")]).toEqual(["1", null]);
    // The absence is kept for a minute. Then the location reads as of nearly a minute ago.
    clock.now += 59_000;
    expect(await read("lima", "a")).toBeNull();
    clock.now += 2000;
    expect(await read("lima", "a")).toBe("1");
  });

  it("keeps what a location read for `cacheTtl`, which is at least 30 s", async () => {
    const { kv, clock, read } = kvWithClock(0);
    await kv.location("oslo").put("a", bytes("1"));
    expect(await read("lima", "a", 30)).toBe("1");
    clock.now += 1000;
    await kv.location("oslo").put("a", bytes("2"));
    clock.now += 28_000;
    expect([await read("lima", "a", 30), await read("rome", "a", 30)]).toEqual(["1", "2"]);
    clock.now += 2000;
    expect(await read("lima", "a", 30)).toBe("2");
    await expect(read("lima", "a", 29)).rejects.toThrow("cache_ttl");
  });

  it("refuses a second write to a key within a second, and counts what is billed", async () => {
    const { kv, clock, read } = kvWithClock(0);
    const oslo = kv.location("oslo");
    await oslo.put("a", bytes("1"));
    await oslo.put("b", bytes("1"));
    clock.now += 999;
    await expect(oslo.put("a", bytes("2"))).rejects.toThrow("429");
    clock.now += 1;
    await oslo.put("a", bytes("3"), { expirationTtl: 60 });
    await oslo.delete("b");
    expect([await read("lima", "a"), await read("lima", "b")]).toEqual(["3", null]);
    clock.now += 60_000;
    expect(await read("lima", "a")).toBeNull();
    expect(kv.billed).toEqual({ reads: 3, writes: 3, deletes: 1 });
  });
});
