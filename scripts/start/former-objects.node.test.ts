import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { hasFormerObjects, objectKeysOf } from "./former-objects.ts";

const stateDir = mkdtempSync(join(tmpdir(), "vicinity-objects-"));
afterAll(() => rmSync(stateDir, { recursive: true }));

it("keeps the names of objects that a state of version 0.2 has, and only of such a state", () => {
  expect(hasFormerObjects(stateDir)).toBe(false);
  expect(objectKeysOf(stateDir)).toEqual({});
  mkdirSync(join(stateDir, "v3/do/vicinity-user-session-UserSession"), { recursive: true });
  expect(objectKeysOf(stateDir)).toEqual({});
  mkdirSync(join(stateDir, "v3/do/vicinity-location-Cell"), { recursive: true });
  expect(objectKeysOf(stateDir)).toEqual({
    UserSession: "vicinity-recommendation-UserSession",
    Cell: "vicinity-location-Cell",
  });
});
