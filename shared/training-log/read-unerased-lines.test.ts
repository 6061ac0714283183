import { expect, it } from "vitest";
import { ok } from "../contracts/result.ts";
import { packLines } from "./lines.ts";
import { readUnerasedLines } from "./read-unerased-lines.ts";

const ann = "a".repeat(64);
const bob = "b".repeat(64);
const line = (pseudonym: string, generation: number) => ({ kind: "correction", pseudonym, generation });

it("gives the lines of a log without those of lives that were erased; damage is told, and no answer is no consent", async () => {
  const objects = new Map([
    ["whole", await packLines([line(ann, 0), line(ann, 1), line(bob, 0)])],
    ["damaged", new TextEncoder().encode("no log").buffer as ArrayBuffer],
  ]);
  const log = {
    get: async (key: string) => {
      const bytes = objects.get(key);
      return bytes ? { arrayBuffer: async () => bytes } : null;
    },
  } as unknown as Pick<R2Bucket, "get">;
  const user = {
    findTombstones: async (application: string, users: string[]) =>
      ok(application === "demo" && users.includes(ann) ? [{ pseudonym: ann, generation: 0 }] : []),
  };
  const of = (key: string) => readUnerasedLines({ log, user }, "demo", key);
  expect(await of("whole")).toEqual([line(ann, 1), line(bob, 0)]);
  expect(await of("damaged")).toBeNull();
  expect(await of("gone")).toEqual([]);
  const silent = {
    findTombstones: async () => ({
      ok: false as const,
      error: { code: "unavailable" as const, detail: "away" },
    }),
  };
  await expect(readUnerasedLines({ log, user: silent }, "demo", "whole")).rejects.toThrow("away");
});
