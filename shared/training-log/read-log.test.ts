import { describe, expect, it } from "vitest";
import { ok } from "../contracts/result.ts";
import { LogCompaction } from "./compact-log.ts";
import { batchKey } from "./keys.ts";
import { packLines } from "./lines.ts";
import { firstPosition, isTrainingLine, readLogPage, readSpreadPage, withoutErased } from "./read-log.ts";
import { MemoryBucket } from "./testing/memory-bucket.ts";

const application = "demo";
const day = "2026-01-20";
const noon = Date.UTC(2026, 0, 20, 12) / 1000;
const nameOf = (user: number): string =>
  (Math.imul(user, 0x9e3779b1) >>> 0).toString(16).padStart(8, "0").repeat(8);
const line = (user: number, number: number, kind = "example") => ({
  ...{ kind, pseudonym: nameOf(user), generation: 0, recommendation: `r-${number}`, event: `e-${number}` },
});

/** Returns a bucket with batches of `perBatch` lines of 50 users each. */
async function bucketWith(batches: number, perBatch: number): Promise<MemoryBucket> {
  const bucket = new MemoryBucket(() => noon);
  for (let batch = 0; batch < batches; batch++) {
    const lines = Array.from({ length: perBatch }, (_, i) =>
      line((batch * perBatch + i) % 50, batch * perBatch + i),
    );
    const users = lines.map(({ pseudonym }) => pseudonym);
    await bucket.put(batchKey(application, day, users, `${batch}`), await packLines(lines));
  }
  return bucket;
}

async function compact(bucket: MemoryBucket): Promise<void> {
  const compaction = new LogCompaction(bucket, application, {
    now: () => noon + 7200,
    wait: async () => undefined,
  });
  while (await compaction.step());
}

describe("readLogPage", () => {
  it("reads within its limits, whatever is compacted", async () => {
    for (const isCompacted of [false, true]) {
      const bucket = await bucketWith(60, 40);
      if (isCompacted) await compact(bucket);
      const query = { application, days: ["2026-01-21", day, "2026-01-19"] };
      const found = new Set<string>();
      let pages = 0;
      for (let position = firstPosition(query); position !== null; pages++) {
        const page = await readLogPage(bucket, query, position, { objects: 7, bytes: 3000 });
        expect(page.objects).toBeLessThanOrEqual(7);
        for (const each of page.lines) found.add(JSON.stringify(each));
        position = page.next;
      }
      expect(found.size).toBe(2400);
      expect(pages).toBeGreaterThan(3);
    }
  });

  it("leaves out lines that nobody needs, and counts what cannot be read", async () => {
    const bucket = new MemoryBucket(() => noon);
    const lines = [line(1, 1), line(1, 2, "interaction"), line(2, 3, "correction"), { kind: "example" }];
    await bucket.put(batchKey(application, day, [nameOf(1), nameOf(2)], "a"), await packLines(lines));
    await bucket.put(batchKey(application, day, [nameOf(1)], "b"), "no gzip");
    const query = { application, days: [day], isNeeded: isTrainingLine };
    const page = await readLogPage(bucket, query, firstPosition(query), { objects: 9, bytes: 9999 });
    expect(page).toMatchObject({ damaged: 2, objects: 2, next: null });
    expect(page.lines).toEqual([lines[0], lines[2]]);
  });
});

describe("readSpreadPage", () => {
  it("reads a part of the users of a day, within its limits", async () => {
    const bucket = await bucketWith(60, 40);
    const query = { application, days: [day] };
    const sizes = { objects: 20, bytes: 1_000_000 };
    const ofBatches = await readSpreadPage(bucket, query, sizes);
    expect(ofBatches.objects).toBe(10);
    expect(ofBatches.lines).toHaveLength(400);
    await compact(bucket);
    const ofFiles = await readSpreadPage(bucket, query, { objects: 4, bytes: 2000 });
    expect(ofFiles.objects).toBeLessThanOrEqual(4);
    expect(ofFiles.lines.length).toBeGreaterThan(100);
    expect(await readSpreadPage(bucket, query, sizes)).toMatchObject({ lines: { length: 2400 } });
  });
});

describe("withoutErased", () => {
  const lines = Array.from({ length: 25_000 }, (_, i) => line(i, i));

  it("leaves out the lines of erased generations, by one call for 10,000 users", async () => {
    const asked: number[] = [];
    const user = {
      findTombstones: async (_application: string, names: string[]) => {
        asked.push(names.length);
        const erased = names.filter((name) => name === nameOf(3) || name === nameOf(20_000));
        return ok(erased.map((pseudonym) => ({ pseudonym, generation: 0, mergedGeneration: -1 })));
      },
    };
    const later = { ...line(3, 30_000), generation: 1 };
    const kept = await withoutErased(user, application, [...lines, later]);
    expect(asked).toEqual([10_000, 10_000, 5000]);
    expect(kept).toHaveLength(24_999);
    expect(kept.at(-1)).toEqual(later);
    expect(await withoutErased(user, application, [])).toEqual([]);
    expect(asked).toHaveLength(3);
  });

  it("throws if the user worker cannot return the tombstones", async () => {
    const error = { code: "unavailable" as const, detail: "away" };
    const unavailable = { findTombstones: async () => ({ ok: false as const, error }) };
    await expect(withoutErased(unavailable, application, lines)).rejects.toThrow("away");
  });
});
