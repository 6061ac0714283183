import type { LoggedExample } from "../../model/recalibrate/logged-examples.ts";
import { decodeShard } from "../../model/recalibrate/shard.ts";
import { type ModelManifest, modelManifest } from "../../shared/contracts/model.ts";
import { type RecalibrationRecord, recalibration } from "../../shared/contracts/recalibration.ts";
import { putAtRate } from "../../shared/r2/put-at-rate.ts";
import type { LogBucket } from "../../shared/training-log/log-bucket.ts";

/** The methods of the bucket that the artifact store calls. */
export type ArtifactBucket = Pick<LogBucket, "get" | "put" | "list" | "delete">;

/** R2 deletes at most 1000 objects per call. */
const maxDeleted = 1000;

/**
 * Names of the stored number arrays. `ids-N` holds the ids of the examples in chunk N and all chunks before it,
 * `summary-N` and `corrections-N` the encoded summaries and corrections of chunk N, `positions-N` its counts by position.
 * `summary`, `corrections` and `positions` cover all chunks. `sums-N` holds the sums of an evaluation over the parts up to its step N.
 */
export type NumbersName =
  | `ids-${number}`
  | `summary-${number}`
  | `corrections-${number}`
  | `positions-${number}`
  | `sums-${number}`
  | "summary"
  | "corrections"
  | "positions";

/** Returns the key prefix of all recalibration artifacts of an application. */
export const artifactRoot = (application: string): string => `${application}/recalibrations/`;

/**
 * Stores the artifacts that a recalibration's steps pass on, in R2. Each key belongs to one step: only a repeat of that
 * step, before it has finished, writes the key again. `clear` removes all at the end, since the artifacts hold examples of
 * users.
 */
export class ArtifactStore {
  readonly #bucket: ArtifactBucket;
  readonly #prefix: string;
  readonly #wait: ((ms: number) => Promise<void>) | undefined;

  /** `wait` replaces the timer after which a refused write is repeated. */
  constructor(bucket: ArtifactBucket, application: string, id: string, wait?: (ms: number) => Promise<void>) {
    this.#bucket = bucket;
    this.#prefix = `${artifactRoot(application)}${id}/`;
    this.#wait = wait;
  }

  async #bytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const object = await this.#bucket.get(this.#prefix + name);
    if (!object) throw new Error(`the recalibration has no artifact ${this.#prefix}${name}`);
    return new Uint8Array(await object.arrayBuffer());
  }

  #put(name: string, content: string | ArrayBufferView<ArrayBuffer>): Promise<void> {
    return putAtRate(this.#bucket, this.#prefix + name, content, this.#wait);
  }

  /** Returns the record that version 0.2 stored in R2; null if there is none. */
  async recordOfVersion02(): Promise<RecalibrationRecord | null> {
    const object = await this.#bucket.get(`${this.#prefix}record.json`);
    return object ? recalibration.parse(JSON.parse(await object.text())) : null;
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

  /** Returns the examples of a shard, each decoded on demand. */
  async shard(index: number): Promise<Iterable<LoggedExample>> {
    return decodeShard(await this.#bytes(`shard-${index}.bin`));
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

  /** Removes all artifacts. */
  async clear(): Promise<void> {
    for (;;) {
      const { objects, truncated } = await this.#bucket.list({ prefix: this.#prefix, limit: maxDeleted });
      if (objects.length > 0) await this.#bucket.delete(objects.map(({ key }) => key));
      if (!truncated) return;
    }
  }
}
