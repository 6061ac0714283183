import { describe, expect, it } from "vitest";
import { isAnonymousId, newAnonymousId } from "./anonymous-id.ts";

describe("newAnonymousId", () => {
  it("returns an id of 128 random bits, and no other id looks like one", () => {
    const ids = Array.from({ length: 100 }, () =>
      newAnonymousId((count) => crypto.getRandomValues(new Uint8Array(count))),
    );
    for (const id of ids) expect(id).toMatch(/^anon-[A-Za-z0-9_-]{22}$/);
    expect(new Set(ids).size).toBe(100);
    expect(newAnonymousId((count) => new Uint8Array(count))).toBe(`anon-${"A".repeat(22)}`);
    expect(ids.every(isAnonymousId)).toBe(true);
    for (const id of ["ann", "anon-1", `${ids[0]}x`, `x${ids[0]}`]) expect(isAnonymousId(id)).toBe(false);
  });
});
