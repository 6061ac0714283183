/// <reference types="@cloudflare/vitest-plugin/types" />
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { rateLimitedBucket } from "../../shared/testing/platform/rate-limited-r2.ts";
import { eraseFromLog } from "../../shared/training-log/erase-user.ts";
import { logDays } from "../../shared/training-log/keys.ts";
import type { LogBucket } from "../../shared/training-log/log-bucket.ts";
import { countLogLines } from "../../shared/training-log/testing/count-log-lines.ts";
import { writeLog } from "../../shared/training-log/testing/write-log.ts";
import { compactLogs } from "./compact-logs.ts";

const { TRAINING_LOG } = Object.assign({ TRAINING_LOG: {} as R2Bucket }, env);
const noon = Date.UTC(2026, 0, 20, 12) / 1000;
const name = (user: number): string => user.toString(16).padStart(8, "0").repeat(8);

/** Returns lines of 20 users, one a second. */
const lines = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    ...{ kind: "interaction", pseudonym: name(i % 20), generation: 0, event: `e-${i}`, type: "view" },
    ...{ productId: "p", time: noon + i, recommendation: null },
  }));

/** A clock an hour and more ahead, whose waits take no time, and the bucket with R2's rate by this clock. */
function laterPlatform() {
  let later = 2 * 3600;
  const now = (): number => Date.now() / 1000 + later;
  const clock = {
    now,
    wait: async (milliseconds: number) => {
      later += milliseconds / 1000;
    },
  };
  return { clock, bucket: rateLimitedBucket(TRAINING_LOG, () => now() * 1000) };
}

async function interactionsOf(bucket: LogBucket, application: string): Promise<number> {
  return (await countLogLines(bucket, application, await logDays(bucket, application))).interactions;
}

it("compacts the logs of all applications in a real bucket, from which erasures remove users", async () => {
  const applications = ["compact-a", "compact-b"];
  for (const application of applications) await writeLog(TRAINING_LOG, application, lines(600), 10);
  const { clock, bucket } = laterPlatform();
  const result = await compactLogs(bucket, clock);
  expect(result).toMatchObject({ batches: 120, damaged: 0, failed: 0 });
  for (const application of applications) {
    expect((await TRAINING_LOG.list({ prefix: `${application}/log/v1/` })).objects).toEqual([]);
    expect(await interactionsOf(TRAINING_LOG, application)).toBe(600);
    const scan = { application, pseudonym: name(7), after: null, limit: 50 };
    const first = await eraseFromLog(TRAINING_LOG, scan, 0);
    const second = await eraseFromLog(TRAINING_LOG, { ...scan, after: first.next }, 0);
    expect([first.removed + second.removed, second.next]).toEqual([30, null]);
    expect(await interactionsOf(TRAINING_LOG, application)).toBe(570);
    // A rewritten file keeps its filter.
    expect(
      (await eraseFromLog(TRAINING_LOG, { ...scan, pseudonym: name(8), after: first.next }, 0)).removed,
    ).toBe(30);
  }
});

it("goes on with other applications if one fails, and runs a bounded number of steps", async () => {
  const names = ["compact-c", "compact-d", "compact-e", "compact-f"];
  for (const application of names) await writeLog(TRAINING_LOG, application, lines(1000), 10);
  const { clock, bucket } = laterPlatform();
  const failing = new Proxy(bucket, {
    get(target, method) {
      const value: unknown = Reflect.get(target, method);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        if (JSON.stringify(args[0])?.includes("compact-c/")) throw new Error("no bucket today");
        return value.apply(target, args);
      };
    },
  });
  const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const first = await compactLogs(failing, clock);
  logged.mockRestore();
  // 100 batches of each take more calls than are left after the first application.
  expect(first.batches).toBeLessThan(300);
  let failed = first.failed;
  let { batches } = first;
  for (let minute = 0; minute < 4; minute++) {
    await clock.wait(60_000);
    const next = await compactLogs(failing, clock);
    batches += next.batches;
    failed += next.failed;
  }
  expect(failed).toBeGreaterThan(0);
  expect(batches).toBe(300);
});
