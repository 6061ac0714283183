import { featureShape } from "../../../model/features/compute-features.ts";
import { runWithPauses } from "../../../model/pausable-work.ts";
import {
  concatenateArrays,
  encodeSummaries,
  idSetPausable,
} from "../../../model/recalibrate/example-summary.ts";
import {
  encodeCorrections,
  type LoggedCorrection,
  readLine,
} from "../../../model/recalibrate/logged-examples.ts";
import { ShardWriter } from "../../../model/recalibrate/shard.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { logPrefix } from "../../../shared/training-log/keys.ts";
import { readUnerasedLines } from "../../../shared/training-log/read-unerased-lines.ts";
import type { StepContext } from "./step.ts";

/** Log lines parsed between two pauses: about 2 ms of CPU time. */
const linesPerPause = 4;

/**
 * Stores the inputs of the recalibration: the keys of the log objects in chunks, the newest day first, and the serving
 * model. Returns the number of chunks and the version of the serving model.
 */
export async function takeSnapshot(context: StepContext): Promise<{ chunks: number; parent: string }> {
  const { env, application, settings, startedAt, artifacts } = context;
  const chunks: string[][] = [];
  let bytes = 0;
  for (let day = 0; day <= settings.days; day++) {
    const date = new Date((startedAt - day * 86_400) * 1000).toISOString().slice(0, 10);
    let cursor: string | undefined;
    do {
      const page = await env.TRAINING_LOG.list({ prefix: logPrefix(application, date), cursor });
      for (const { key, size } of page.objects) {
        const last = chunks.at(-1);
        if (!last || last.length >= settings.objectsPerChunk || bytes + size > settings.bytesPerChunk) {
          chunks.push([key]);
          bytes = size;
        } else {
          last.push(key);
          bytes += size;
        }
      }
      cursor = page.truncated ? page.cursor : undefined;
    } while (cursor);
  }
  await artifacts.putChunks(chunks);
  const serving = unwrap(await env.RECOMMENDATION.servingModel(application), "the recommendation service");
  const { manifest, bytes: file } = serving;
  await artifacts.putModel("parent", manifest, new Uint8Array(file));
  return { chunks: chunks.length, parent: manifest.version };
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
}

/**
 * Reads one chunk of the log into shards: the examples that no earlier chunk had, without those of erased users. Chunks
 * are limited by compressed bytes, which may expand to any size. So `collect` stores a shard, one part of the snapshot,
 * whenever it is full. `firstPart` is the part of the first shard.
 */
export async function collect(
  context: StepContext,
  index: number,
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
  let damaged = 0;
  let incompatible = 0;
  let read = 0;
  for (const key of await artifacts.chunk(index)) {
    const lines = await readUnerasedLines({ log: env.TRAINING_LOG, user: env.USER }, application, key);
    if (lines === null) damaged++;
    for (const line of lines ?? []) {
      if (++read % linesPerPause === 0) await pause();
      const parsed = readLine(featureShape, line);
      if (parsed.kind === "damaged") damaged++;
      else if (parsed.kind === "incompatible") incompatible++;
      else if (parsed.kind === "correction") corrections.push(parsed.correction);
      else if (parsed.kind === "example" && !seen.has(parsed.example.id)) {
        const { example } = parsed;
        seen.add(example.id);
        ids.push(example.id);
        summaries.push(encodeSummaries([example], await shards.add(example)));
      }
    }
  }
  const parts = await shards.flush();
  await artifacts.putNumbers(`corrections-${index}`, encodeCorrections(corrections));
  await artifacts.putNumbers(`summary-${index}`, concatenateArrays(summaries));
  await artifacts.putNumbers(`ids-${index}`, concatenateArrays([earlierIds, Float64Array.from(ids)]));
  return { examples: ids.length, total: seen.size, parts, damaged, incompatible };
}

/** Merges the summaries and corrections of all chunks, so that later steps read one object of each kind. */
export async function mergeChunks({ artifacts }: StepContext, chunks: number): Promise<void> {
  for (const kind of ["summary", "corrections"] as const) {
    const numbers: Float64Array[] = [];
    for (let chunk = 0; chunk < chunks; chunk++) numbers.push(await artifacts.numbers(`${kind}-${chunk}`));
    await artifacts.putNumbers(kind, concatenateArrays(numbers));
  }
}
