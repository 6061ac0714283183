import { describe, expect, it } from "vitest";
import { isLocalRequest, LocalState } from "./development-keys.ts";

describe("isLocalRequest", () => {
  const isLocalAt = (url: string, headers: Record<string, string> = {}, proxySecret: string | null = null) =>
    isLocalRequest({ url, headers: new Headers(headers) }, proxySecret);
  const isLocal = (host: string, origin?: string) =>
    isLocalAt("http://localhost:8787/v1/products", { host, ...(origin ? { origin } : {}) });

  it("S6: accepts local names on any port, and no origin but the gateway's own", () => {
    for (const host of ["localhost", "localhost:8787", "127.0.0.1:1", "127.0.0.1:65535", "[::1]:8787"]) {
      expect(isLocal(host), host).toBe(true);
      expect(isLocal(host, `http://${host}`), host).toBe(true);
      for (const origin of [
        "https://evil.example",
        "null",
        "http://localhost:3000",
        "https://localhost:8787",
      ])
        expect(isLocal(host, origin), origin).toBe(false);
    }
  });

  it("S6: refuses other names, also those that resolve to this machine", () => {
    for (const host of [
      "evil.example:8787",
      "localhost.evil.example",
      "127.0.0.1.nip.io",
      "192.168.1.2:8787",
      "localhost:8787.evil.example",
      "localhost:8787@evil.example",
      "localhost:99999",
      "a b",
    ])
      expect(isLocal(host), host).toBe(false);
    expect(isLocalAt("https://api.example.com/v1/products")).toBe(false);
    expect(isLocalAt("https://api.example.com/v1/products", { host: "localhost" })).toBe(false);
    expect(isLocalAt("http://localhost/v1/products")).toBe(true);
  });

  it("S6: needs the secret of the local proxy where there is one, whatever the host", () => {
    const secret = "s".repeat(64);
    const url = "http://localhost:8787/v1/products";
    expect(isLocalAt(url, { "x-local-proxy-secret": secret }, secret)).toBe(true);
    expect(isLocalAt(url, { "x-local-proxy-secret": secret, host: "evil.example" }, secret)).toBe(false);
    for (const wrong of ["", "s", `${secret}s`, "t".repeat(64)])
      expect(isLocalAt(url, { "x-local-proxy-secret": wrong }, secret), wrong).toBe(false);
    expect(isLocalAt(url, {}, secret)).toBe(false);
  });
});

describe("LocalState", () => {
  const marker = "m".repeat(32);
  const state = (stored: string | null, variable: string | null, clock = { at: 0 }) => {
    const reads: string[] = [];
    const reader = {
      findDevelopmentMarker: async () => {
        reads.push("read");
        return stored;
      },
    };
    return { reads, clock, local: new LocalState(reader, variable, () => clock.at) };
  };

  it("S7: is confirmed by the marker in the database alone, which is read once", async () => {
    const { local, reads } = state(marker, marker);
    expect([await local.isConfirmed(), await local.isConfirmed()]).toEqual([true, true]);
    expect(reads).toHaveLength(1);
  });

  it("S7: is not confirmed by a variable alone, by a short one, or by a marker alone", async () => {
    for (const [stored, variable] of [
      [null, marker],
      ["n".repeat(32), marker],
      ["on", "on"],
      [marker, null],
    ])
      expect(await state(stored ?? null, variable ?? null).local.isConfirmed()).toBe(false);
  });

  it("does not read the database at each request where the marker does not match", async () => {
    const { local, reads, clock } = state(null, marker);
    for (let i = 0; i < 100; i++) await local.isConfirmed();
    expect(reads).toHaveLength(1);
    clock.at = 5_000;
    await local.isConfirmed();
    expect(reads).toHaveLength(2);
  });
});
