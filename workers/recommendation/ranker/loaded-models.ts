import type { FeatureShape } from "../../../model/features/batch.ts";
import { checkGoldenVectors, checkListSizes, checkModel } from "../../../model/onnx/check-model.ts";
import { inspectOnnx } from "../../../model/onnx/inspect/inspect-onnx.ts";
import type { ModelSession } from "../../../model/onnx/model-session.ts";
import type { Ranker } from "../../../model/pipeline/ports.ts";
import type { ModelManifest } from "../../../shared/contracts/model.ts";
import { ok, type Result, refuse } from "../../../shared/contracts/result.ts";
import type { FirstStage } from "../../../shared/contracts/retrieval.ts";

/** Identifies a model by its version and the hash of its file. */
export type ModelName = Pick<ModelManifest, "version" | "sha256">;

/** A model in memory. */
interface Loaded {
  session: ModelSession;
  firstStage: FirstStage | undefined;
}

/** Opens a session on a model file; throws if the runtime refuses the file. */
export type OpenSession = (bytes: Uint8Array, shape: FeatureShape) => Promise<ModelSession>;

/**
 * The models in this isolate's memory: at most `maxModels`; the least recently used model is dropped first. Models are
 * keyed by file hash, so a file that several applications serve is loaded once.
 */
export class LoadedModels {
  /** By file hash, the least recently used first. */
  readonly #sessions = new Map<string, Loaded>();
  readonly #open: OpenSession;
  readonly #shape: FeatureShape;
  readonly #maxModels: number;

  constructor(open: OpenSession, shape: FeatureShape, maxModels: number) {
    this.#open = open;
    this.#shape = shape;
    this.#maxModels = maxModels;
  }

  /**
   * Returns the ranker of a loaded model, else null. Call this for each use: a ranker fails after its model is dropped.
   */
  get(name: ModelName): Ranker | null {
    const loaded = this.#sessions.get(name.sha256);
    if (!loaded) return null;
    this.#sessions.delete(name.sha256);
    this.#sessions.set(name.sha256, loaded);
    return rankerOver(name, loaded);
  }

  /**
   * Checks a model against its manifest and its golden vectors, and loads it. Refuses with `invalid_input` or
   * `too_large` and the reason. If two callers load the same file at once, the later one drops its session. Neither
   * waits for the other, because the other's request may be canceled.
   */
  async load(manifest: unknown, bytes: Uint8Array<ArrayBuffer>): Promise<Result<Ranker>> {
    const checked = await checkModel(manifest, bytes, this.#shape);
    if (!checked.ok) return checked;
    const present = this.get(checked.value);
    if (present) return ok(present);
    const opened = await this.#openChecked(checked.value, bytes);
    if (!opened.ok) return opened;
    const meanwhile = this.get(checked.value);
    if (meanwhile) {
      await opened.value.release();
      return ok(meanwhile);
    }
    const loaded: Loaded = { session: opened.value, firstStage: checked.value.firstStage };
    this.#sessions.set(checked.value.sha256, loaded);
    await this.#dropOldest();
    return ok(rankerOver(checked.value, loaded));
  }

  async #openChecked(manifest: ModelManifest, bytes: Uint8Array): Promise<Result<ModelSession>> {
    let session: ModelSession | null = null;
    try {
      const inspected = inspectOnnx(bytes, this.#shape, manifest.opset);
      if (!inspected.ok) return inspected;
      session = await this.#open(bytes, this.#shape);
      const golden = await checkGoldenVectors(manifest, session);
      const checked = golden.ok ? await checkListSizes(manifest, session) : golden;
      if (checked.ok) return ok(session);
      await session.release();
      return checked;
    } catch (error) {
      // The file is input, so its uploader gets the runtime's error.
      await session?.release();
      return refuse("invalid_input", `The ONNX runtime cannot run the file: ${String(error)}`);
    }
  }

  async #dropOldest(): Promise<void> {
    for (const [sha256, { session }] of [...this.#sessions].slice(0, -this.#maxModels)) {
      this.#sessions.delete(sha256);
      await session.release();
    }
  }
}

const rankerOver = ({ version, sha256 }: ModelName, { session, firstStage }: Loaded): Ranker => ({
  version,
  sha256,
  firstStage,
  score: (batch) => session.run(batch),
});
