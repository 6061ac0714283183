import { describe, expect, it } from "vitest";
import type { StoredKey } from "../store.ts";
import { KnownKeys } from "./known-keys.ts";

const keyOf = (application: string, hash: string): StoredKey => ({
  ...{ application, id: hash, role: "server", scopes: [], hash, expiresAt: null, lastUsedAt: null },
});

describe("KnownKeys", () => {
  it("S14: keeps the keys of an application while another one uses ten thousand", () => {
    const known = new KnownKeys(100);
    for (let i = 0; i < 20; i++) known.set(`mine-${i}`, { record: keyOf("small", `mine-${i}`), readAt: 1 });
    for (let i = 0; i < 10_000; i++)
      known.set(`theirs-${i}`, { record: keyOf("flood", `theirs-${i}`), readAt: 1 });
    for (let i = 0; i < 20; i++) expect(known.get(`mine-${i}`)?.record.application).toBe("small");
    expect(known.get("theirs-0")).toBeUndefined();
    expect(known.get("theirs-9999")?.record.application).toBe("flood");
  });

  it("forgets a deleted key, all keys of an application, and all keys", () => {
    const known = new KnownKeys(10);
    known.set("a", { record: keyOf("shop", "a"), readAt: 1 });
    known.set("b", { record: keyOf("shop", "b"), readAt: 1 });
    known.delete("a");
    known.delete("unknown");
    expect([known.get("a"), known.get("b")?.readAt]).toEqual([undefined, 1]);
    known.set("c", { record: keyOf("other", "c"), readAt: 1 });
    known.deleteAll("shop");
    expect([known.get("b"), known.get("c")?.readAt]).toEqual([undefined, 1]);
    known.clear();
    expect(known.get("c")).toBeUndefined();
  });
});
