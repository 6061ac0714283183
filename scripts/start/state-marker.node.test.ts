import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { readStateMarker, writeStateMarker } from "./state-marker.ts";

const stateDir = mkdtempSync(join(tmpdir(), "vicinity-state-"));
const path = join(stateDir, "dataset.json");
afterEach(() => rmSync(path, { force: true }));

describe("readStateMarker", () => {
  it("returns null for a directory without a marker", () => {
    expect(readStateMarker(stateDir)).toBeNull();
  });

  it("returns what was written", () => {
    writeStateMarker(stateDir, { dataset: "demo", loaded: true, trained: false });
    expect(readStateMarker(stateDir)).toEqual({ dataset: "demo", loaded: true, trained: false });
  });

  it("refuses the state of an earlier version, and says what to do", () => {
    writeFileSync(path, JSON.stringify({ dataset: "demo", loaded: true, trained: true }));
    expect(() => readStateMarker(stateDir)).toThrow(/another version of Vicinity.*Delete it/);
  });
});
