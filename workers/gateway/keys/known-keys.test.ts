import { describe, expect, it } from "vitest";
import type { StoredKey } from "../store.ts";
import { KnownKeys } from "./known-keys.ts";

const keyOf = (application: string, hash: string): StoredKey => ({
  ...{ application, id: hash, role: "server", scopes: [], hash, expiresAt: null, lastUsedAt: null },
});

describe("KnownKeys", () => {
  it("S14: keeps the keys of an application while another one uses ten thousand", () => {
    const known = new KnownKeys(100);
    for (let i = 0; i < 20; i++) known.set(`mine-${i}`, { key: keyOf("small", `mine-${i}`), until: 1 });
    for (let i = 0; i < 10_000; i++)
      known.set(`theirs-${i}`, { key: keyOf("flood", `theirs-${i}`), until: 1 });
    for (let i = 0; i < 20; i++) expect(known.get(`mine-${i}`)?.key.application).toBe("small");
    expect(known.get("theirs-0")).toBeUndefined();
    expect(known.get("theirs-9999")?.key.application).toBe("flood");
  });

  it("forgets a deleted key, and all keys", () => {
    const known = new KnownKeys(10);
    known.set("a", { key: keyOf("shop", "a"), until: 1 });
    known.set("b", { key: keyOf("shop", "b"), until: 1 });
    known.delete("a");
    known.delete("unknown");
    expect([known.get("a"), known.get("b")?.until]).toEqual([undefined, 1]);
    known.clear();
    expect(known.get("b")).toBeUndefined();
  });
});
