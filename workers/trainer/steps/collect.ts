import { hash53 } from "../../../model/columns/hash.ts";
import { PositionCells } from "../../../model/examination/position-cells.ts";
import { featureShape } from "../../../model/features/compute-features.ts";
import { runWithPauses } from "../../../model/pausable-work.ts";
import {
  concatenateArrays,
  encodeSummaries,
  idSetPausable,
  isHeldOut,
} from "../../../model/recalibrate/example-summary.ts";
import {
  encodeCorrections,
  type LoggedCorrection,
  readLine,
} from "../../../model/recalibrate/logged-examples.ts";
import { ShardWriter } from "../../../model/recalibrate/shard.ts";
import type { UserApi } from "../../../shared/services/user-api.ts";
import { daySeconds } from "../../../shared/time/seconds.ts";
import { logDayOf } from "../../../shared/training-log/keys.ts";
import type { LogBucket } from "../../../shared/training-log/log-bucket.ts";
import {
  firstPosition,
  isTrainingLine,
  type LogPosition,
  type LogQuery,
  readLogPage,
  withoutErased,
} from "../../../shared/training-log/read-log.ts";
import type { ArtifactStore } from "../artifacts.ts";
import type { RecalibrationSettings } from "../settings.ts";

/** Log lines parsed between two pauses: about 2 ms of CPU time. */
const linesPerPause = 4;

/** What `collect` needs. */
export interface CollectContext {
  env: { TRAINING_LOG: Pick<LogBucket, "list" | "get">; USER: Pick<UserApi, "findTombstones"> };
  application: string;
  /** Seconds since the Unix epoch. */
  startedAt: number;
  settings: Pick<
    RecalibrationSettings,
    "days" | "bytesPerPart" | "objectsPerChunk" | "bytesPerChunk" | "gate"
  >;
  artifacts: Pick<ArtifactStore, "numbers" | "putNumbers" | "putShard">;
  /** Rows of an example that are kept, at most; absent for as many as training uses. */
  rowLimit?: number;
  /** Lets other requests run. */
  pause(): Promise<void>;
}

/** Returns what a recalibration reads of the log: examples and corrections, the newest day first. */
const logQuery = ({ application, settings, startedAt }: CollectContext): LogQuery => ({
  application,
  days: Array.from({ length: settings.days + 1 }, (_, ago) => logDayOf(startedAt - ago * daySeconds)),
  isNeeded: isTrainingLine,
});

/** Returns where the first chunk of the log begins. */
export const firstChunk = (context: CollectContext): LogPosition | null => firstPosition(logQuery(context));

/** Returns the share (0 to 1) of the days that a recalibration has read when the next chunk begins at a position. */
export function shareRead(context: CollectContext, next: LogPosition | null): number {
  const { days } = logQuery(context);
  return next === null ? 1 : days.indexOf(next.day) / days.length;
}

/** The result of reading one chunk of the log. */
export interface CollectResult {
  /** New examples in this chunk. */
  examples: number;
  /** Examples in all chunks so far. */
  total: number;
  /** Snapshot parts written so far. */
  parts: number;
  /** Unreadable lines and objects of this chunk. */
  damaged: number;
  /** Examples of this chunk with the features of another version. */
  incompatible: number;
  /** Where the next chunk begins; null after the last one. */
  next: LogPosition | null;
}

/**
 * Reads one chunk of the log into shards: the examples that no earlier chunk had, without those of erased users. Chunks
 * are limited by compressed bytes, which may expand to any size. So `collect` stores a shard, one part of the snapshot,
 * whenever it is full. `firstPart` is the part of the first shard.
 */
export async function collect(
  context: CollectContext,
  index: number,
  from: LogPosition | null,
  firstPart: number,
): Promise<CollectResult> {
  const { env, application, artifacts, pause, settings } = context;
  const earlierIds = index === 0 ? new Float64Array() : await artifacts.numbers(`ids-${index - 1}`);
  const seen = await runWithPauses(idSetPausable(earlierIds), pause);
  const shards = new ShardWriter(firstPart, settings.bytesPerPart, (part, shard) =>
    artifacts.putShard(part, shard),
  );
  const ids: number[] = [];
  const summaries: Float64Array[] = [];
  const corrections: LoggedCorrection[] = [];
  const positions = new PositionCells();
  const limits = { objects: settings.objectsPerChunk, bytes: settings.bytesPerChunk };
  const page = await readLogPage(env.TRAINING_LOG, logQuery(context), from, limits);
  let { damaged } = page;
  let incompatible = 0;
  let read = 0;
  for (const line of await withoutErased(env.USER, application, page.lines)) {
    if (++read % linesPerPause === 0) await pause();
    const parsed = readLine(featureShape, line, context.rowLimit);
    if (parsed.kind === "damaged") damaged++;
    else if (parsed.kind === "incompatible") incompatible++;
    else if (parsed.kind === "correction") corrections.push(parsed.correction);
    else if (parsed.kind === "example" && !seen.has(parsed.example.id)) {
      const { example } = parsed;
      seen.add(example.id);
      ids.push(example.id);
      if (!isHeldOut(hash53(example.pseudonym), settings.gate.holdoutShare)) positions.add(example);
      summaries.push(encodeSummaries([example], await shards.add(example)));
    }
  }
  const parts = await shards.flush();
  await artifacts.putNumbers(`corrections-${index}`, encodeCorrections(corrections));
  await artifacts.putNumbers(`positions-${index}`, positions.numbers);
  await artifacts.putNumbers(`summary-${index}`, concatenateArrays(summaries));
  await artifacts.putNumbers(`ids-${index}`, concatenateArrays([earlierIds, Float64Array.from(ids)]));
  return { examples: ids.length, total: seen.size, parts, damaged, incompatible, next: page.next };
}

/** Merges the summaries, corrections and counts of all chunks, so that later steps read one object of each kind. */
export async function mergeChunks(
  { artifacts }: Pick<CollectContext, "artifacts">,
  chunks: number,
): Promise<void> {
  for (const kind of ["summary", "corrections"] as const) {
    const numbers: Float64Array[] = [];
    for (let chunk = 0; chunk < chunks; chunk++) numbers.push(await artifacts.numbers(`${kind}-${chunk}`));
    await artifacts.putNumbers(kind, concatenateArrays(numbers));
  }
  const positions = new PositionCells();
  for (let chunk = 0; chunk < chunks; chunk++)
    (await artifacts.numbers(`positions-${chunk}`)).forEach((count, i) => {
      positions.numbers[i] += count;
    });
  await artifacts.putNumbers("positions", positions.numbers);
}
