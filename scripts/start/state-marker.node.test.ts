import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { readStateMarker, writeStateMarker } from "./state-marker.ts";

const stateDir = mkdtempSync(join(tmpdir(), "vicinity-state-"));
const path = join(stateDir, "dataset.json");
const objects = join(stateDir, "v3");
afterEach(() => {
  rmSync(path, { force: true });
  rmSync(objects, { recursive: true, force: true });
});

describe("readStateMarker", () => {
  it("returns null for a directory without a marker", () => {
    expect(readStateMarker(stateDir)).toBeNull();
  });

  it("returns what was written", () => {
    writeStateMarker(stateDir, { dataset: "demo", loaded: true, trained: false });
    expect(readStateMarker(stateDir)).toEqual({ dataset: "demo", loaded: true, trained: false });
  });

  it("reads and keeps the format of a state whose objects have the names of version 0.2", () => {
    mkdirSync(join(objects, "do/vicinity-recommendation-UserSession"), { recursive: true });
    const marker = { dataset: "demo", loaded: true, trained: true };
    writeFileSync(path, JSON.stringify({ format: 4, ...marker }));
    expect(readStateMarker(stateDir)).toEqual(marker);
    writeStateMarker(stateDir, marker);
    expect(JSON.parse(readFileSync(path, "utf8")).format).toBe(4);
  });

  it("refuses the state of an earlier version, and says what to do", () => {
    writeFileSync(path, JSON.stringify({ dataset: "demo", loaded: true, trained: true }));
    expect(() => readStateMarker(stateDir)).toThrow(/another version of Vicinity.*Delete it/);
  });
});
