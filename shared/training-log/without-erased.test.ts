import { expect, it } from "vitest";
import { ok } from "../contracts/result.ts";
import { packed } from "./lines.ts";
import { livingLines } from "./without-erased.ts";

const ann = "a".repeat(64);
const bob = "b".repeat(64);
const line = (pseudonym: string, generation: number) => ({ kind: "correction", pseudonym, generation });

it("gives the lines of a log without those of lives that were erased; damage is told, and no answer is no consent", async () => {
  const objects = new Map([
    ["whole", await packed([line(ann, 0), line(ann, 1), line(bob, 0)])],
    ["damaged", new TextEncoder().encode("no log").buffer as ArrayBuffer],
  ]);
  const log = {
    get: async (key: string) => {
      const bytes = objects.get(key);
      return bytes ? { arrayBuffer: async () => bytes } : null;
    },
  } as unknown as Pick<R2Bucket, "get">;
  const user = {
    tombstones: async (application: string, users: string[]) =>
      ok(application === "demo" && users.includes(ann) ? [{ object: ann, generation: 0 }] : []),
  };
  const of = (key: string) => livingLines({ log, user }, "demo", key);
  expect(await of("whole")).toEqual([line(ann, 1), line(bob, 0)]);
  expect(await of("damaged")).toBeNull();
  expect(await of("gone")).toEqual([]);
  const silent = {
    tombstones: async () => ({ ok: false as const, error: { code: "unavailable" as const, detail: "away" } }),
  };
  await expect(livingLines({ log, user: silent }, "demo", "whole")).rejects.toThrow("away");
});
