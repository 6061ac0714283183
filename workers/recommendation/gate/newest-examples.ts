import type { FeatureShape } from "../../../model/features/batch.ts";
import {
  Corrections,
  type LoggedCorrection,
  type LoggedExample,
  readLine,
} from "../../../model/recalibrate/logged-examples.ts";
import { yieldToEventLoop } from "../../../shared/async/yield-to-event-loop.ts";
import { logPrefix } from "../../../shared/training-log/keys.ts";
import { readUnerasedLines } from "../../../shared/training-log/read-unerased-lines.ts";

/** Limits of what is read from the training log. */
export interface LogReadLimits {
  maxDays: number;
  maxObjects: number;
  maxExamples: number;
  /** Whether to read objects spread evenly over the days, instead of the newest objects. */
  spread?: boolean;
}

/** The newest examples of the training log and their corrections. */
export interface NewestExamples {
  examples: LoggedExample[];
  corrections: Corrections;
  /** Objects and lines that could not be read. */
  damaged: number;
}

/** Lines that are parsed between two yields: about 2 ms of CPU time. */
const linesPerYield = 16;

/** Returns keys of log objects: the newest day first, and the newest object first within a day. */
async function newestKeys(
  log: Pick<R2Bucket, "list">,
  application: string,
  { maxDays, maxObjects, spread }: LogReadLimits,
  now: number,
): Promise<string[]> {
  const keys: string[] = [];
  for (let day = 0; day < maxDays && (spread || keys.length < maxObjects); day++) {
    const date = new Date((now - day * 86_400) * 1000).toISOString().slice(0, 10);
    const found: R2Object[] = [];
    let cursor: string | undefined;
    do {
      const page = await log.list({ prefix: logPrefix(application, date), cursor });
      found.push(...page.objects);
      cursor = page.truncated ? page.cursor : undefined;
    } while (cursor);
    found.sort((a, b) => b.uploaded.getTime() - a.uploaded.getTime());
    keys.push(...found.map(({ key }) => key));
  }
  if (!spread || keys.length <= maxObjects) return keys.slice(0, maxObjects);
  return Array.from({ length: maxObjects }, (_, i) => keys[Math.floor((i * keys.length) / maxObjects)]);
}

/**
 * Reads the newest examples from an application's training log, without erased users, within `limits`. `now` is in
 * seconds since the Unix epoch.
 */
export async function readNewestExamples(
  env: Pick<RecommendationEnv, "TRAINING_LOG" | "USER">,
  application: string,
  shape: FeatureShape,
  limits: LogReadLimits,
  now: number,
): Promise<NewestExamples> {
  const seen = new Map<number, LoggedExample>();
  const corrections: LoggedCorrection[] = [];
  let damaged = 0;
  let read = 0;
  for (const key of await newestKeys(env.TRAINING_LOG, application, limits, now)) {
    if (seen.size >= limits.maxExamples) break;
    const lines = await readUnerasedLines({ log: env.TRAINING_LOG, user: env.USER }, application, key);
    if (lines === null) damaged++;
    for (const line of lines ?? []) {
      if (++read % linesPerYield === 0) await yieldToEventLoop();
      const parsed = readLine(shape, line);
      if (parsed.kind === "damaged") damaged++;
      else if (parsed.kind === "correction") corrections.push(parsed.correction);
      else if (parsed.kind === "example" && !seen.has(parsed.example.id))
        seen.set(parsed.example.id, parsed.example);
    }
  }
  const correctionIndex = new Corrections();
  for (const each of corrections) correctionIndex.add(each);
  return { examples: [...seen.values()].slice(0, limits.maxExamples), corrections: correctionIndex, damaged };
}
