import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashNetwork, tokenExpiry } from "./sessions.ts";
import type { TokenSecret } from "./token-secrets.ts";

const secret = (digit: string): TokenSecret => ({
  id: "1",
  bytes: new Uint8Array(new TextEncoder().encode(digit.repeat(32))),
  signsFrom: 0,
});

describe("hashNetwork", () => {
  it("is the same for the same network, and differs by network, application and secret", async () => {
    const hash = await hashNetwork(secret("a"), "shop", "192.0.2.0/24");
    expect(hash).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(await hashNetwork(secret("a"), "shop", "192.0.2.0/24")).toBe(hash);
    for (const other of [
      hashNetwork(secret("a"), "shop", "192.0.3.0/24"),
      hashNetwork(secret("a"), "other", "192.0.2.0/24"),
      hashNetwork(secret("b"), "shop", "192.0.2.0/24"),
    ])
      expect(await other).not.toBe(hash);
  });
});

describe("tokenExpiry", () => {
  it("S9: never exceeds the end of the key or the session", () => {
    const end = fc.option(fc.nat(2e9));
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e9, noNaN: true }),
        fc.nat(1e6),
        end,
        end,
        (now, ttl, key, session) => {
          const expiry = tokenExpiry(now, ttl, [key, session]);
          expect(expiry).toBeLessThanOrEqual(now + ttl);
          for (const limit of [key, session]) if (limit !== null) expect(expiry).toBeLessThanOrEqual(limit);
          if (key === null && session === null) expect(expiry).toBe(Math.floor(now) + ttl);
        },
      ),
    );
  });
});
