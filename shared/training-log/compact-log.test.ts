import { describe, expect, it } from "vitest";
import { LogCompaction } from "./compact-log.ts";
import { readManifest } from "./day-manifest.ts";
import { eraseFromLog } from "./erase-user.ts";
import { batchKey, logDays } from "./keys.ts";
import { lineIdentity, packLines, unpackTexts } from "./lines.ts";
import type { Clock } from "./manifest-writer.ts";
import { firstPosition, readLogPage } from "./read-log.ts";
import { MemoryBucket } from "./testing/memory-bucket.ts";

const application = "demo";
const hour = 3600;
const morning = Date.UTC(2026, 0, 20, 8) / 1000;
const day = "2026-01-20";

const nameOf = (user: number): string =>
  (user * 2_654_435_761).toString(16).padStart(8, "0").slice(-8).repeat(8);
const lineOf = (user: number, event: number) => ({
  ...{ kind: "interaction", pseudonym: nameOf(user), generation: 0, event: `e-${event}`, type: "view" },
  ...{ productId: `p-${event % 7}`, time: morning, recommendation: null },
});

/** A log in memory with a clock of its own. A wait moves the clock. */
class LogInMemory {
  time = morning;
  readonly bucket = new MemoryBucket(() => this.time);
  readonly clock: Clock = {
    now: () => this.time,
    wait: async (milliseconds) => {
      this.time += milliseconds / 1000;
    },
  };
  #batches = 0;
  /** The identities of all lines that were written. */
  readonly written = new Set<string>();

  async append(lines: ReturnType<typeof lineOf>[], on = day): Promise<void> {
    const key = batchKey(
      application,
      on,
      lines.map(({ pseudonym }) => pseudonym),
      `${this.#batches++}`,
    );
    await this.bucket.put(key, await packLines(lines));
    for (const line of lines) this.written.add(lineIdentity(line));
  }

  /** Runs a compaction until nothing is due, or it fails. Returns whether it failed. */
  async compact(limits?: ConstructorParameters<typeof LogCompaction>[3]): Promise<boolean> {
    const compaction = new LogCompaction(this.bucket, application, this.clock, limits);
    try {
      while (await compaction.step());
      await compaction.release();
      return false;
    } catch {
      await compaction.release().catch(() => undefined);
      return true;
    }
  }

  /** Returns the identities of all lines, in pages of a few objects. */
  async read(objects = 3): Promise<string[]> {
    const query = { application, days: await logDays(this.bucket, application) };
    const found: string[] = [];
    for (let position = firstPosition(query); position !== null; ) {
      const page = await readLogPage(this.bucket, query, position, { objects, bytes: 1_000_000 });
      expect(page.damaged).toBe(0);
      found.push(...page.lines.map((line) => lineIdentity(line as object)));
      position = page.next;
    }
    return found;
  }

  /** Returns the keys of all objects with lines of a user. */
  async filesWith(pseudonym: string): Promise<string[]> {
    const found: string[] = [];
    for (const key of this.bucket.keys.filter((each) => each.endsWith(".gz"))) {
      const object = await this.bucket.get(key);
      const texts = object ? await unpackTexts(await object.arrayBuffer()) : [];
      if (texts.some((text) => text.includes(pseudonym))) found.push(key);
    }
    return found;
  }

  get batchCount(): number {
    return this.bucket.keys.filter((key) => key.includes("/log/v1/")).length;
  }
}

/** Erases a user from the log, by steps of a few objects. */
async function eraseAll(log: LogInMemory, pseudonym: string): Promise<void> {
  let next: string | null = null;
  do {
    const scan = { application, pseudonym, after: next, limit: 2 };
    ({ next } = await eraseFromLog(log.bucket, scan, 0));
  } while (next !== null);
}

/** Appends `batches` batches of five lines within an hour. */
async function appendHour(log: LogInMemory, batches: number, firstEvent: number): Promise<void> {
  for (let batch = 0; batch < batches; batch++) {
    log.time += hour / batches;
    const events = Array.from({ length: 5 }, (_, i) => firstEvent + batch * 5 + i);
    await log.append(events.map((event) => lineOf(event % 11, event)));
  }
}

/** Limits with which a small log takes several segments and passes. */
const small = { batches: 4, bytesPerPass: 700, callsPerPass: 20 };

describe("LogCompaction", () => {
  it("makes an hour's batches one segment, and the segments of a day that has ended another one", async () => {
    const log = new LogInMemory();
    for (let h = 0; h < 3; h++) {
      await appendHour(log, 6, h * 100);
      log.time += 2 * hour;
      expect(await log.compact()).toBe(false);
      expect(log.batchCount).toBe(0);
      expect((await readManifest(log.bucket, application, day)).segments).toHaveLength(h + 1);
    }
    log.time += 24 * hour;
    await log.compact();
    const { segments, work } = await readManifest(log.bucket, application, day);
    expect(work).toBeNull();
    expect(segments).toMatchObject([{ level: 1, lines: log.written.size }]);
    expect((await log.read()).sort()).toEqual([...log.written].sort());
    // One file, and the manifest.
    expect(log.bucket.keys).toHaveLength(2);
  });

  it("leaves batches alone that a consumer may still check, and those of a quiet hour", async () => {
    const log = new LogInMemory();
    await log.append([lineOf(1, 1)]);
    for (const [minutes, left] of [
      [10, 1],
      [40, 1],
      [15, 0],
    ]) {
      log.time += minutes * 60;
      await log.compact();
      expect(log.batchCount).toBe(left);
    }
  });

  it("compacts batches of older logs, whose keys have a shard or none, and drops repeats", async () => {
    const log = new LogInMemory();
    const lines = Array.from({ length: 20 }, (_, i) => lineOf(i, i));
    for (const name of ["3/a", "0/b", "c"])
      await log.bucket.put(`demo/log/v1/${day}/${name}.ndjson.gz`, await packLines(lines));
    log.time += 2 * hour;
    await log.compact();
    expect(log.batchCount).toBe(0);
    expect((await log.read()).sort()).toEqual(lines.map(lineIdentity).sort());
  });

  it("removes what nobody can read, and counts it", async () => {
    const log = new LogInMemory();
    await log.bucket.put(`demo/log/v1/${day}/0/a.ndjson.gz`, "no gzip");
    await log.bucket.put(
      `demo/log/v1/${day}/0/b.ndjson.gz`,
      await packLines([lineOf(1, 1), { kind: "view" }]),
    );
    log.time += 2 * hour;
    const compaction = new LogCompaction(log.bucket, application, log.clock);
    while (await compaction.step());
    expect(compaction.report).toMatchObject({ batches: 2, segments: 1, damaged: 2 });
    expect(await log.read()).toEqual([lineIdentity(lineOf(1, 1))]);
  });

  it("writes no key twice within a second", async () => {
    const log = new LogInMemory();
    const written = new Map<string, number>();
    const tooEarly: string[] = [];
    log.bucket.beforeCall = async (method, key) => {
      if (method !== "put") return;
      if (log.time - (written.get(key) ?? 0) < 1) tooEarly.push(key);
      written.set(key, log.time);
    };
    for (let h = 0; h < 4; h++) await appendHour(log, 6, h * 100);
    log.time += 48 * hour;
    expect(await log.compact(small)).toBe(false);
    expect(tooEarly).toEqual([]);
    expect((await log.read()).sort()).toEqual([...log.written].sort());
  });

  it("loses and doubles no line wherever it is killed, while batches arrive", async () => {
    for (const lastCallWorks of [false, true])
      for (let calls = 0, failed = true; failed; calls++) {
        const log = new LogInMemory();
        for (let h = 0; h < 3; h++) await appendHour(log, 3, h * 100);
        log.time += 2 * hour;
        await log.compact(small);
        log.time += 24 * hour;
        await log.append([lineOf(3, 1000)]);
        log.time += 2 * hour;
        log.bucket.failAfter(calls, lastCallWorks);
        await log.compact(small);
        failed = log.bucket.recover();
        const where = `killed after ${calls} calls, ${lastCallWorks ? "after" : "before"} its work`;
        expect(new Set(await log.read()), where).toEqual(log.written);
        await log.append([lineOf(4, 1001)]);
        // Another run waits until the killed one has surely ended.
        log.time += 2 * hour;
        await log.compact(small);
        expect((await log.read()).sort(), where).toEqual([...log.written].sort());
        expect(log.batchCount, where).toBe(0);
        const { segments, work } = await readManifest(log.bucket, application, day);
        expect(work, where).toBeNull();
        const files = segments.reduce((sum, { bits }) => sum + 2 ** bits, 0);
        expect(
          log.bucket.keys.filter((key) => key.endsWith(".gz")),
          where,
        ).toHaveLength(files);
      }
  }, 60_000);

  it("shows readers every line at every moment", async () => {
    const log = new LogInMemory();
    for (let h = 0; h < 3; h++) await appendHour(log, 4, h * 100);
    log.time += 26 * hour;
    let reads = 0;
    let isReading = false;
    log.bucket.beforeCall = async (method) => {
      if (isReading || method === "get" || method === "head") return;
      isReading = true;
      expect(new Set(await log.read(50))).toEqual(log.written);
      reads++;
      isReading = false;
    };
    await log.compact(small);
    expect(reads).toBeGreaterThan(20);
  });

  it("shows every line to a reader during whose every call a compaction goes on", async () => {
    for (const objects of [2, 50]) {
      const log = new LogInMemory();
      for (let h = 0; h < 3; h++) await appendHour(log, 4, h * 100);
      log.time += 26 * hour;
      const compaction = new LogCompaction(log.bucket, application, log.clock, small);
      let isCompacting = false;
      log.bucket.beforeCall = async () => {
        if (isCompacting) return;
        isCompacting = true;
        await compaction.step();
        isCompacting = false;
      };
      expect(new Set(await log.read(objects))).toEqual(log.written);
    }
  });

  it("brings back nothing that an erasure removes meanwhile", async () => {
    const ann = nameOf(3);
    for (let calls = 0, ended = false; !ended; calls++) {
      const log = new LogInMemory();
      for (let h = 0; h < 3; h++) await appendHour(log, 3, h * 100);
      log.time += 26 * hour;
      ended = true;
      let left = calls;
      log.bucket.beforeCall = async () => {
        if (left-- !== 0) return;
        ended = false;
        await eraseAll(log, ann);
      };
      await log.compact(small);
      log.bucket.beforeCall = async () => undefined;
      if (ended) break;
      const expected = [...log.written].filter((identity) => !identity.includes(ann));
      expect((await log.read()).sort(), `erased at call ${calls}`).toEqual(expected.sort());
      expect(await log.filesWith(ann), `erased at call ${calls}`).toEqual([]);
    }
  }, 60_000);

  it("leaves nothing of a user whose erasure it overtakes at any call", async () => {
    const ann = nameOf(3);
    for (let calls = 0, ended = false; !ended; calls++) {
      const log = new LogInMemory();
      for (let h = 0; h < 3; h++) await appendHour(log, 3, h * 100);
      log.time += 2 * hour;
      await log.compact(small);
      log.time += 24 * hour;
      await appendHour(log, 3, 400);
      log.time += 2 * hour;
      const compaction = new LogCompaction(log.bucket, application, log.clock, small);
      let left = calls;
      let isCompacting = false;
      ended = true;
      log.bucket.beforeCall = async () => {
        if (isCompacting || left-- > 0) return;
        ended = false;
        isCompacting = true;
        await compaction.step();
        isCompacting = false;
      };
      await eraseAll(log, ann);
      log.bucket.beforeCall = async () => undefined;
      const where = `overtaken from call ${calls}`;
      expect(await log.filesWith(ann), where).toEqual([]);
      const expected = [...log.written].filter((identity) => !identity.includes(ann));
      expect(new Set(await log.read()), where).toEqual(new Set(expected));
    }
  }, 60_000);

  it("leaves nothing of a user who is erased after it was killed at any call", async () => {
    const ann = nameOf(3);
    for (let calls = 0, failed = true; failed; calls++) {
      const log = new LogInMemory();
      for (let h = 0; h < 3; h++) await appendHour(log, 3, h * 100);
      log.time += 2 * hour;
      await log.compact(small);
      log.time += 24 * hour;
      await log.append([lineOf(3, 1000), lineOf(4, 1001)]);
      log.time += 2 * hour;
      log.bucket.failAfter(calls, true);
      await log.compact(small);
      failed = log.bucket.recover();
      await eraseAll(log, ann);
      expect(await log.filesWith(ann), `killed after ${calls} calls`).toEqual([]);
      log.time += hour;
      await log.compact(small);
      expect(await log.filesWith(ann), `killed after ${calls} calls, and compacted`).toEqual([]);
      const expected = [...log.written].filter((identity) => !identity.includes(ann));
      expect((await log.read()).sort(), `killed after ${calls} calls`).toEqual(expected.sort());
    }
  }, 60_000);

  it("is left to the run that holds a day", async () => {
    const log = new LogInMemory();
    await appendHour(log, 6, 0);
    log.time += 2 * hour;
    log.bucket.failAfter(12, false);
    expect(await log.compact()).toBe(true);
    log.bucket.recover();
    log.time += 60;
    expect(await log.compact()).toBe(false);
    expect(log.batchCount).toBe(6);
    log.time += 900;
    await log.compact();
    expect(log.batchCount).toBe(0);
    expect((await log.read()).sort()).toEqual([...log.written].sort());
  });
});
