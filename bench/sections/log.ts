import { logPseudonymOf } from "../../shared/pseudonyms/hashed-names.ts";
import { pseudonymKeysOf } from "../../shared/pseudonyms/pseudonym-keys.ts";
import { MemoryBucket } from "../../shared/training-log/testing/memory-bucket.ts";
import type { BenchContext } from "../context.ts";
import { singleMeasurement, summarizeTimes, type Unit } from "../figure.ts";
import { type JobReport, LogThread } from "../log/log-thread.ts";
import { LogTraffic, objectIdOf } from "../log/log-traffic.ts";

/**
 * Two million events of 200,000 users in 30 days, with an example for each 40 events. Without `--only log`, a tenth of all
 * three, so that the days are as large.
 */
const size = { events: 2_000_000, users: 200_000, days: 30 };
const shortShare = 0.1;
/** When the log begins, in seconds since the Unix epoch. */
const from = Date.UTC(2026, 0, 1) / 1000;
/** Memory that a step may use, in megabytes: half of an isolate's. */
const maxMegabytes = 64;
/** Keys that a step may list, and calls of the bucket that it may make. */
const maxListed = 1000;
const maxCalls = 1000;
/** Share of the log's bytes that an erasure may read. */
const maxErasureShare = 0.001;
/** Users that are erased, one after the other, and objects that a step of an erasure reads. */
const erasedUsers = 40;
const objectsPerStep = 50;

/** Returns the largest of each figure of several reports of one job. */
function largest(reports: readonly JobReport[]) {
  const maxOf = (value: (report: JobReport) => number): number => Math.max(...reports.map(value));
  return {
    megabytes: maxOf((each) => each.maxMegabytes),
    listed: maxOf(({ figures }) => figures.maxListed),
    calls: maxOf(({ figures }) => figures.maxCalls),
  };
}

/**
 * Measures the jobs of the training log step by step: compaction, the `collect` of a recalibration, drift and erasures, in
 * a thread whose heap cannot grow above {@link maxMegabytes}.
 */
export async function measureLog(context: BenchContext): Promise<void> {
  const share = context.options.named ? 1 : shortShare;
  // What is not compacted, and the files of the open day, are a large part of a short log.
  const maxShare = share === 1 ? maxErasureShare : null;
  const options = {
    ...{ events: size.events * share, users: size.users * share, days: size.days * share },
    from,
  };
  let time = from;
  const bucket = new MemoryBucket(() => time);
  const keys = await pseudonymKeysOf({ PSEUDONYM_SECRET: "a-secret-of-the-bench-0123456789abcdef" });
  const traffic = new LogTraffic(options, keys);
  const thread = new LogThread(bucket, maxMegabytes);
  const figure = (name: string, unit: Unit, value: number, limit: number | null, baseline?: number): void => {
    context.figures.push({
      ...{ section: "log", name, unit, ...singleMeasurement(value) },
      baseline: baseline === undefined ? null : { label: "before", value: baseline },
      limit: limit === null ? null : { label: "allowed", value: limit },
    });
  };
  const addSteps = (job: string, reports: readonly JobReport[]): void => {
    const { megabytes, listed, calls } = largest(reports);
    figure(`live memory of a step, ${job}`, "MB", megabytes, maxMegabytes, reports[0].baseMegabytes);
    figure(`keys listed by a step, ${job}`, "count", listed, maxListed);
    figure(`calls of the bucket by a step, ${job}`, "count", calls, maxCalls);
  };

  const compactions: JobReport[] = [];
  let batches = 0;
  let maxBatches = 0;
  for (let hour = 0; hour < options.days * 24; hour++) {
    await bucket.takeCounts();
    await traffic.writeHour(bucket, hour, (at) => {
      time = at;
    });
    batches += bucket.counts.writes;
    time = from + (hour + 1) * 3600;
    maxBatches = Math.max(maxBatches, bucket.countBelow("demo/log/v1/"));
    compactions.push(await thread.run({ job: "compact", argument: time }));
    if (hour % 24 === 23)
      context.log(
        `day ${(hour + 1) / 24}: ${bucket.keys.length.toLocaleString("en")} objects, ${(bucket.bytes / 1e6).toFixed(0)} MB`,
      );
  }
  const logBytes = bucket.bytes;
  context.addNote(
    `log: ${options.events.toLocaleString("en")} events and ${(options.events / 40).toLocaleString("en")} examples of ${options.users.toLocaleString("en")} users in ${options.days} days; ${batches.toLocaleString("en")} batches became ${bucket.keys.length.toLocaleString("en")} objects of ${(logBytes / 1e6).toFixed(0)} MB`,
  );
  addSteps("compaction", compactions);
  figure("batches that are not compacted yet, at most", "count", maxBatches, null);
  const writes = compactions.reduce((sum, { figures }) => sum + figures.writes, 0);
  figure("writes of compactions for each batch", "times", writes / batches, null);

  const collected = await thread.run({ job: "collect", argument: time });
  addSteps("collect", [collected]);
  figure("steps of collect", "count", collected.figures.steps, null);
  figure("examples that collect found", "count", collected.figures.found, options.events / 40);
  addSteps("drift", [await thread.run({ job: "drift", argument: time - 86_400 })]);

  const erasures: JobReport[] = [];
  for (let i = 0; i < erasedUsers; i++) {
    const user = Math.floor((i / erasedUsers) * options.users) + 1;
    const argument = await logPseudonymOf(keys, objectIdOf(user));
    erasures.push(await thread.run({ job: "erase", argument, objectsPerStep }));
  }
  addSteps("erasure", erasures);
  const shareOf = ({ figures }: JobReport): number => figures.bytesRead / logBytes;
  context.figures.push({
    ...{ section: "log", name: "share of the log's bytes that an erasure reads", unit: "share" },
    ...summarizeTimes(erasures.map(shareOf)),
    ...{ baseline: null, limit: maxShare === null ? null : { label: "allowed", value: maxShare } },
  });
  const argument = await logPseudonymOf(keys, objectIdOf(0));
  const busiest = await thread.run({ job: "erase", argument, objectsPerStep });
  figure("the same for a user of every day", "share", shareOf(busiest), maxShare);
  figure("lines of that user", "count", busiest.figures.found, null);
  figure("steps of that erasure", "count", busiest.figures.steps, null);
  await thread.end();
}
