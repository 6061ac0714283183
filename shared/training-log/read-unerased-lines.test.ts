import { describe, expect, it } from "vitest";
import { ok } from "../contracts/result.ts";
import { packLines } from "./lines.ts";
import { readUnerasedLines } from "./read-unerased-lines.ts";

const ann = "a".repeat(64);
const bob = "b".repeat(64);
const line = (pseudonym: string, generation: number) => ({ kind: "correction", pseudonym, generation });

describe("readUnerasedLines", () => {
  const log = async () => {
    const objects = new Map([
      ["whole", await packLines([line(ann, 0), line(ann, 1), line(bob, 0)])],
      ["damaged", new TextEncoder().encode("no log").buffer as ArrayBuffer],
    ]);
    return {
      get: async (key: string) => {
        const bytes = objects.get(key);
        return bytes ? { arrayBuffer: async () => bytes } : null;
      },
    } as unknown as Pick<R2Bucket, "get">;
  };
  const user = {
    findTombstones: async (application: string, users: string[]) =>
      ok(
        application === "demo" && users.includes(ann)
          ? [{ pseudonym: ann, generation: 0, mergedGeneration: -1 }]
          : [],
      ),
  };
  const read = async (key: string) => readUnerasedLines({ log: await log(), user }, "demo", key);

  it("leaves out the lines of erased generations", async () => {
    expect(await read("whole")).toEqual([line(ann, 1), line(bob, 0)]);
  });

  it("returns null for a damaged object, and no lines for a deleted one", async () => {
    expect(await read("damaged")).toBeNull();
    expect(await read("gone")).toEqual([]);
  });

  it("throws if the user worker cannot return the tombstones", async () => {
    const unavailable = {
      findTombstones: async () => ({
        ok: false as const,
        error: { code: "unavailable" as const, detail: "away" },
      }),
    };
    await expect(readUnerasedLines({ log: await log(), user: unavailable }, "demo", "whole")).rejects.toThrow(
      "away",
    );
  });
});
