import { describe, expect, it } from "vitest";
import { parseComparisonOptions } from "./options.ts";

const kinds = ["gorse"];
const peer = ["--peer", "gorse=http://127.0.0.1:8088/"];

describe("parseComparisonOptions", () => {
  it("has defaults for all but the peer", () => {
    expect(parseComparisonOptions(peer, kinds)).toMatchObject({
      peerKind: "gorse",
      peer: { url: "http://127.0.0.1:8088", pid: null, start: null },
      vicinity: { url: "http://127.0.0.1:8787", pid: null, start: null },
      rounds: 7,
      groups: ["health", "lists", "single", "world", "city"],
      busy: 0,
      idle: false,
      restarts: 0,
    });
  });

  it("refuses a peer of another machine, of no kind, and of an unknown kind", () => {
    for (const url of [
      "http://10.0.0.7:8088",
      "http://gorse.example",
      "https://127.0.0.1:8088",
      "127.0.0.1:8088",
    ])
      expect(() => parseComparisonOptions(["--peer", `gorse=${url}`], kinds)).toThrow(
        /--peer must be a server of this/,
      );
    expect(() => parseComparisonOptions(["--vicinity", "http://example.com", ...peer], kinds)).toThrow(
      /--vicinity/,
    );
    for (const text of ["http://127.0.0.1:8088", "other=http://127.0.0.1:8088", "gorse="])
      expect(() => parseComparisonOptions(["--peer", text], kinds)).toThrow(/--peer must be KIND=URL/);
    expect(() => parseComparisonOptions([], kinds)).toThrow(/--peer must be KIND=URL/);
  });

  it("runs groups in its own order, and refuses unknown ones", () => {
    expect(parseComparisonOptions([...peer, "--only", "city,lists"], kinds).groups).toEqual([
      "lists",
      "city",
    ]);
    expect(() => parseComparisonOptions([...peer, "--only", "lists,towns"], kinds)).toThrow(
      /unknown group "towns"/,
    );
  });

  it("names the bounds of a number", () => {
    expect(() => parseComparisonOptions([...peer, "--rounds", "0"], kinds)).toThrow(
      "--rounds must be a whole number from 1 to 30",
    );
    expect(() => parseComparisonOptions([...peer, "--busy", "9"], kinds)).toThrow(/from 0 to 8; got "9"/);
    expect(() => parseComparisonOptions([...peer, "--peer-pid", "x"], kinds)).toThrow(/--peer-pid/);
  });

  it("kills only servers that it starts", () => {
    expect(() =>
      parseComparisonOptions([...peer, "--restarts", "2", "--peer-start", "gorse"], kinds),
    ).toThrow(/--restarts needs/);
    const started = [...peer, "--restarts", "2", "--peer-start", "gorse", "--vicinity-start", "npm start"];
    expect(parseComparisonOptions(started, kinds)).toMatchObject({
      restarts: 2,
      vicinity: { start: "npm start" },
    });
  });
});
