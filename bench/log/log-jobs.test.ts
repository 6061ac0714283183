import { expect, it } from "vitest";
import { logPseudonymOf } from "../../shared/pseudonyms/hashed-names.ts";
import { pseudonymKeysOf } from "../../shared/pseudonyms/pseudonym-keys.ts";
import { MemoryBucket } from "../../shared/training-log/testing/memory-bucket.ts";
import { LogJobs } from "./log-jobs.ts";
import { LogTraffic, objectIdOf } from "./log-traffic.ts";

/** A short form of the section `log` of `npm run bench`, which writes two million events. */
const options = { events: 20_000, users: 2000, days: 4, from: Date.UTC(2026, 0, 20) / 1000 };
const bounds = { listed: 1000, calls: 1000 };

it("compacts, collects, computes drift and erases by bounded steps", async () => {
  let time = options.from;
  const bucket = new MemoryBucket(() => time);
  const keys = await pseudonymKeysOf({ PSEUDONYM_SECRET: "a-secret-of-the-tests-0123456789abcdef" });
  const traffic = new LogTraffic(options, keys);
  const jobs = new LogJobs(bucket);
  let maxBatches = 0;
  for (let hour = 0; hour < options.days * 24; hour++) {
    await traffic.writeHour(bucket, hour, (at) => {
      time = at;
    });
    time = options.from + (hour + 1) * 3600;
    maxBatches = Math.max(maxBatches, bucket.keys.filter((key) => key.includes("/v1/")).length);
    const { maxListed, maxCalls } = await jobs.compact(time);
    expect(maxListed).toBeLessThanOrEqual(bounds.listed);
    expect(maxCalls).toBeLessThanOrEqual(bounds.calls);
  }
  // Batches of less than three hours: those that are too young, and those that wait for the next run.
  expect(maxBatches).toBeLessThan((3 * options.events) / (options.days * 24) / 20 + 10);
  const logBytes = bucket.bytes;

  const collected = await jobs.collect(time);
  expect(collected.found).toBe(options.events / 40);
  expect(collected.maxListed).toBeLessThanOrEqual(bounds.listed);
  expect(collected.maxCalls).toBeLessThanOrEqual(bounds.calls);
  const drift = await jobs.drift(time - 86_400);
  expect(drift.found).toBe(options.events / options.days / 40);

  for (const user of [0, 7]) {
    const name = await logPseudonymOf(keys, objectIdOf(user));
    const erased = await jobs.erase(name, 50);
    expect(erased.found).toBeGreaterThan(0);
    expect(erased.maxListed).toBeLessThanOrEqual(bounds.listed);
    expect(erased.maxCalls).toBeLessThanOrEqual(bounds.calls);
    // Files are as small as in a large log, so that a small log has fewer of them.
    expect(erased.bytesRead).toBeLessThan(logBytes / 20);
    expect((await jobs.erase(name, 50)).found).toBe(0);
  }
}, 60_000);
