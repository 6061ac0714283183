import { errorText } from "../../shared/errors/error-text.ts";
import { applicationsIn } from "../../shared/retention/remove-expired.ts";
import type { LogsCompaction } from "../../shared/services/trainer-api.ts";
import { LogCompaction } from "../../shared/training-log/compact-log.ts";
import type { LogBucket } from "../../shared/training-log/log-bucket.ts";
import { type Clock, platformClock } from "../../shared/training-log/manifest-writer.ts";

/**
 * Calls of the bucket after which no step begins. A step makes at most about 600 calls, and a request may make 1,000
 * subrequests.
 */
const maxCalls = 350;

/** Returns a bucket that counts its calls in `counter`. */
const countingBucket = (bucket: LogBucket, counter: { calls: number }): LogBucket =>
  new Proxy(bucket, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        counter.calls++;
        return value.apply(target, args);
      };
    },
  });

/**
 * Compacts the training logs of all applications, by a bounded number of steps. Another application is the first one in
 * each minute, so that none waits for ever. A failure is logged and stops no other application.
 */
export async function compactLogs(bucket: LogBucket, clock: Clock = platformClock): Promise<LogsCompaction> {
  const names = (await applicationsIn(bucket)).filter((name) => /^[a-z0-9-]+$/.test(name));
  const first = Math.floor(clock.now() / 60) % Math.max(1, names.length);
  const counter = { calls: 0 };
  const result: LogsCompaction = { steps: 0, batches: 0, segments: 0, damaged: 0, failed: 0, hasMore: false };
  for (const application of [...names.slice(first), ...names.slice(0, first)]) {
    if (result.hasMore) break;
    const compaction = new LogCompaction(countingBucket(bucket, counter), application, clock);
    try {
      while (counter.calls < maxCalls && (await compaction.step())) result.steps++;
      await compaction.release();
    } catch (error) {
      result.failed++;
      console.error({ event: "training log not compacted", application, error: errorText(error) });
      await compaction.release().catch(() => undefined);
    }
    result.batches += compaction.report.batches;
    result.segments += compaction.report.segments;
    result.damaged += compaction.report.damaged;
    result.hasMore = counter.calls >= maxCalls;
  }
  return result;
}
