import { gradually } from "../../../model/gradual.ts";
import {
  correctionNumbers,
  type LoggedCorrection,
  readLine,
} from "../../../model/recalibrate/logged-examples.ts";
import { ShardWriter } from "../../../model/recalibrate/shard.ts";
import { joined, setGradually, summarise } from "../../../model/recalibrate/summary.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { logPrefix } from "../../../shared/training-log/keys.ts";
import { livingLines } from "../../../shared/training-log/without-erased.ts";
import { shape } from "../artifacts.ts";
import type { StepContext } from "./step.ts";

/** Lines that are read between two pauses: about 2 ms of one core. */
const linesPerPause = 4;

/** Fixes what is learnt from and gone on from: the objects of the log, the newest day first, and the model that serves. */
export async function begin(context: StepContext): Promise<{ chunks: number; parent: string }> {
  const { env, application, settings, startedAt, bench } = context;
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
  await bench.putChunks(chunks);
  const serving = unwrap(await env.RECOMMENDATION.servingModel(application), "the recommendation service");
  const { manifest, bytes: file } = serving;
  await bench.putModel("parent", manifest, new Uint8Array(file));
  return { chunks: chunks.length, parent: manifest.version };
}

/** What a chunk of the log gave. */
export interface Collected {
  examples: number;
  /** Of all chunks so far, and the parts that they lie in. */
  total: number;
  parts: number;
  damaged: number;
  /** Made for other features. */
  foreign: number;
}

/**
 * Reads one chunk of the log into shards: examples that no chunk before had, without anybody who was erased. A chunk is cut by its
 * compressed bytes, which may hold any number of others: so a shard, one part of the snapshot, is laid down whenever it is
 * full. The first is of the part `first`.
 */
export async function collect(context: StepContext, index: number, first: number): Promise<Collected> {
  const { env, application, bench, pause, settings } = context;
  const known = index === 0 ? new Float64Array() : await bench.numbers(`ids-${index - 1}`);
  const seen = await gradually(setGradually(known), pause);
  const shards = new ShardWriter(first, settings.bytesPerPart, (part, shard) => bench.putShard(part, shard));
  const ids: number[] = [];
  const summaries: Float64Array[] = [];
  const corrections: LoggedCorrection[] = [];
  let damaged = 0;
  let foreign = 0;
  let read = 0;
  for (const key of await bench.chunk(index)) {
    const lines = await livingLines({ log: env.TRAINING_LOG, user: env.USER }, application, key);
    if (lines === null) damaged++;
    for (const line of lines ?? []) {
      if (++read % linesPerPause === 0) await pause();
      const said = readLine(shape, line);
      if (said.kind === "damaged") damaged++;
      else if (said.kind === "foreign") foreign++;
      else if (said.kind === "correction") corrections.push(said.correction);
      else if (said.kind === "example" && !seen.has(said.example.id)) {
        seen.add(said.example.id);
        ids.push(said.example.id);
        summaries.push(summarise([said.example], await shards.add(said.example)));
      }
    }
  }
  const parts = await shards.end();
  await bench.putNumbers(`corrections-${index}`, correctionNumbers(corrections));
  await bench.putNumbers(`summary-${index}`, joined(summaries));
  await bench.putNumbers(`ids-${index}`, joined([known, Float64Array.from(ids)]));
  return { examples: ids.length, total: seen.size, parts, damaged, foreign };
}

/** Lays what is known of each chunk together, so that later steps read one object of each kind. */
export async function join({ bench }: StepContext, chunks: number): Promise<void> {
  for (const kind of ["summary", "corrections"] as const) {
    const numbers: Float64Array[] = [];
    for (let chunk = 0; chunk < chunks; chunk++) numbers.push(await bench.numbers(`${kind}-${chunk}`));
    await bench.putNumbers(kind, joined(numbers));
  }
}
