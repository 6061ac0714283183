import type { FeatureShape } from "../../../model/features/batch.ts";
import {
  Corrections,
  type LoggedCorrection,
  type LoggedExample,
  readLine,
} from "../../../model/recalibrate/logged-examples.ts";
import { logPrefix } from "../../../shared/training-log/keys.ts";
import { livingLines } from "../../../shared/training-log/without-erased.ts";

/** How much of the log is looked at, at most. */
export interface Reach {
  days: number;
  objects: number;
  examples: number;
  /** Whether objects are taken from all over the time, not the newest of it. */
  spread?: boolean;
}

/** The newest examples of the log, and what was corrected of them. */
export interface Newest {
  examples: LoggedExample[];
  corrections: Corrections;
  damaged: number;
}

/** Lines that are read between two pauses: about 2 ms of one core. */
const linesPerPause = 16;
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

/** Keys of the log's objects, the newest day first, by time of their writing within a day. */
async function newestKeys(
  log: Pick<R2Bucket, "list">,
  application: string,
  { days, objects, spread }: Reach,
  now: number,
): Promise<string[]> {
  const keys: string[] = [];
  for (let day = 0; day < days && (spread || keys.length < objects); day++) {
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
  if (!spread || keys.length <= objects) return keys.slice(0, objects);
  return Array.from({ length: objects }, (_, i) => keys[Math.floor((i * keys.length) / objects)]);
}

/** Reads the newest part of the log, bounded, without anybody who was erased; `now` in seconds since the epoch. */
export async function newestExamples(
  env: Pick<RecommendationEnv, "TRAINING_LOG" | "USER">,
  application: string,
  shape: FeatureShape,
  reach: Reach,
  now: number,
): Promise<Newest> {
  const seen = new Map<number, LoggedExample>();
  const corrections: LoggedCorrection[] = [];
  let damaged = 0;
  let read = 0;
  for (const key of await newestKeys(env.TRAINING_LOG, application, reach, now)) {
    if (seen.size >= reach.examples) break;
    const lines = await livingLines({ log: env.TRAINING_LOG, user: env.USER }, application, key);
    if (lines === null) damaged++;
    for (const line of lines ?? []) {
      if (++read % linesPerPause === 0) await pause();
      const said = readLine(shape, line);
      if (said.kind === "damaged") damaged++;
      else if (said.kind === "correction") corrections.push(said.correction);
      else if (said.kind === "example" && !seen.has(said.example.id)) seen.set(said.example.id, said.example);
    }
  }
  const known = new Corrections();
  for (const each of corrections) known.add(each);
  return { examples: [...seen.values()].slice(0, reach.examples), corrections: known, damaged };
}
