import type { FeatureShape } from "../../../model/features/batch.ts";
import { Corrections, type LoggedExample, readLine } from "../../../model/recalibrate/logged-examples.ts";
import { yieldToEventLoop } from "../../../shared/async/yield-to-event-loop.ts";
import type { UserApi } from "../../../shared/services/user-api.ts";
import { daySeconds } from "../../../shared/time/seconds.ts";
import { logDayOf } from "../../../shared/training-log/keys.ts";
import type { LogBucket } from "../../../shared/training-log/log-bucket.ts";
import {
  firstPosition,
  isTrainingLine,
  type LogPage,
  type LogQuery,
  readLogPage,
  readSpreadPage,
  withoutErased,
} from "../../../shared/training-log/read-log.ts";

/** The bindings through which the log is read. */
export interface ReadableLog {
  TRAINING_LOG: Pick<LogBucket, "list" | "get">;
  USER: Pick<UserApi, "findTombstones">;
}

/** Limits of what is read from the training log. */
export interface LogReadLimits {
  maxDays: number;
  maxObjects: number;
  /** Compressed bytes. */
  maxBytes: number;
  maxExamples: number;
  /**
   * Whether to read the examples of users spread evenly over the first day, instead of the newest ones. An example is as
   * likely as any other one to be read.
   */
  spread?: boolean;
}

/** What is read of the log for the drift of a day: one to two seconds of CPU time. */
export const driftReadLimits: LogReadLimits = {
  ...{ maxDays: 1, maxObjects: 400, maxBytes: 8_000_000, maxExamples: 4000 },
  spread: true,
};

/** The newest examples of the training log and their corrections. */
export interface NewestExamples {
  examples: LoggedExample[];
  corrections: Corrections;
  /** Objects and lines that could not be read. */
  damaged: number;
}

/** Lines that are parsed between two yields: about 2 ms of CPU time. */
const linesPerYield = 16;

/** Yields the pages of the log that are read. */
async function* pagesOf(
  log: ReadableLog["TRAINING_LOG"],
  application: string,
  { maxDays, maxObjects, maxBytes, spread }: LogReadLimits,
  now: number,
): AsyncGenerator<LogPage> {
  const days = Array.from({ length: maxDays }, (_, ago) => logDayOf(now - ago * daySeconds));
  const query: LogQuery = { application, days, isNeeded: isTrainingLine };
  const limits = { objects: maxObjects, bytes: maxBytes };
  if (spread) {
    yield await readSpreadPage(log, query, limits);
    return;
  }
  let position = firstPosition(query);
  while (position !== null && limits.objects > 0 && limits.bytes > 0) {
    // Parts of the limits, so that less is read than they allow if it holds examples enough.
    const part = {
      objects: Math.min(limits.objects, maxObjects / 4),
      bytes: Math.min(limits.bytes, maxBytes / 4),
    };
    const page = await readLogPage(log, query, position, part);
    limits.objects -= page.objects;
    limits.bytes -= page.bytes;
    position = page.next;
    yield page;
  }
}

/**
 * Reads the newest examples from an application's training log, without erased users, within `limits`. `now` is in
 * seconds since the Unix epoch.
 */
export async function readNewestExamples(
  env: ReadableLog,
  application: string,
  shape: FeatureShape,
  limits: LogReadLimits,
  now: number,
): Promise<NewestExamples> {
  const seen = new Map<number, LoggedExample>();
  const corrections = new Corrections();
  let damaged = 0;
  let read = 0;
  for await (const page of pagesOf(env.TRAINING_LOG, application, limits, now)) {
    damaged += page.damaged;
    for (const line of await withoutErased(env.USER, application, page.lines)) {
      if (++read % linesPerYield === 0) await yieldToEventLoop();
      const parsed = readLine(shape, line);
      if (parsed.kind === "damaged") damaged++;
      else if (parsed.kind === "correction") corrections.add(parsed.correction);
      else if (parsed.kind === "example" && !seen.has(parsed.example.id))
        seen.set(parsed.example.id, parsed.example);
    }
    if (seen.size >= limits.maxExamples) break;
  }
  return { examples: [...seen.values()].slice(0, limits.maxExamples), corrections, damaged };
}
