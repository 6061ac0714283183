import { featureShape } from "../../model/features/compute.ts";
import type { LoggedExample } from "../../model/recalibrate/logged-examples.ts";
import { examplesIn } from "../../model/recalibrate/shard.ts";
import { type ModelManifest, modelManifest } from "../../shared/contracts/model.ts";
import { type RecalibrationRecord, recalibration } from "../../shared/contracts/recalibration.ts";

/** The part of the bucket that is used. */
export type ArtifactBucket = Pick<R2Bucket, "get" | "put" | "list" | "delete">;

/** Objects that one call removes at most. */
const maxDeleted = 1000;

/**
 * Numbers that are laid down: ids of the examples of a chunk of the log and of all before it, what describes a chunk's
 * examples (`summary.ts`) and corrects them (`logged.ts`), and both of all chunks together.
 */
export type NumbersName =
  | `ids-${number}`
  | `summary-${number}`
  | `corrections-${number}`
  | "summary"
  | "corrections";

/** All workbenches of an application lie under this. */
export const artifactRoot = (application: string): string => `${application}/recalibrations/`;

/**
 * What a recalibration lays down between its steps, in R2: a step that is repeated writes the same again. All but its
 * record is removed at the end, since it holds examples of people.
 */
export class ArtifactStore {
  readonly #bucket: ArtifactBucket;
  readonly #prefix: string;

  constructor(bucket: ArtifactBucket, application: string, id: string) {
    this.#bucket = bucket;
    this.#prefix = `${artifactRoot(application)}${id}/`;
  }

  async #bytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const object = await this.#bucket.get(this.#prefix + name);
    if (!object) throw new Error(`the recalibration lacks ${name}`);
    return new Uint8Array(await object.arrayBuffer());
  }

  async #put(name: string, content: string | ArrayBufferView<ArrayBuffer>): Promise<void> {
    await this.#bucket.put(this.#prefix + name, content);
  }

  async record(): Promise<RecalibrationRecord | null> {
    const object = await this.#bucket.get(`${this.#prefix}record.json`);
    return object ? recalibration.parse(JSON.parse(await object.text())) : null;
  }

  putRecord(record: RecalibrationRecord): Promise<void> {
    return this.#put("record.json", JSON.stringify(record));
  }

  /** Keys of the log in the chunks that are read by one step each. */
  putChunks(chunks: readonly (readonly string[])[]): Promise<void> {
    return this.#put("chunks.json", JSON.stringify(chunks));
  }

  async chunk(index: number): Promise<string[]> {
    const chunks: string[][] = JSON.parse(new TextDecoder().decode(await this.#bytes("chunks.json")));
    return chunks[index];
  }

  async putModel(name: "parent" | "candidate", manifest: ModelManifest, bytes: Uint8Array<ArrayBuffer>) {
    await this.#put(`${name}.json`, JSON.stringify(manifest));
    await this.#put(`${name}.onnx`, bytes);
  }

  async model(
    name: "parent" | "candidate",
  ): Promise<{ manifest: ModelManifest; bytes: Uint8Array<ArrayBuffer> }> {
    const text = new TextDecoder().decode(await this.#bytes(`${name}.json`));
    return { manifest: modelManifest.parse(JSON.parse(text)), bytes: await this.#bytes(`${name}.onnx`) };
  }

  putShard(index: number, shard: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#put(`shard-${index}.bin`, shard);
  }

  /** The examples of a part, each read when it is wanted. */
  async shard(index: number): Promise<Iterable<LoggedExample>> {
    return examplesIn(await this.#bytes(`shard-${index}.bin`));
  }

  putNumbers(name: NumbersName, numbers: Float64Array<ArrayBuffer>): Promise<void> {
    return this.#put(`${name}.bin`, numbers);
  }

  async numbers(name: NumbersName): Promise<Float64Array<ArrayBuffer>> {
    return new Float64Array((await this.#bytes(`${name}.bin`)).buffer);
  }

  putCheckpoint(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#put(`checkpoint-${name}.bin`, bytes);
  }

  checkpoint(name: string): Promise<Uint8Array<ArrayBuffer>> {
    return this.#bytes(`checkpoint-${name}.bin`);
  }

  /** Removes all but the record. */
  async clear(): Promise<void> {
    for (;;) {
      const { objects, truncated } = await this.#bucket.list({ prefix: this.#prefix, limit: maxDeleted });
      const keys = objects.map(({ key }) => key).filter((key) => !key.endsWith("/record.json"));
      if (keys.length > 0) await this.#bucket.delete(keys);
      if (!truncated) return;
    }
  }
}

/** The features that this code computes, and that all of a recalibration is for. */
export const shape = featureShape;
