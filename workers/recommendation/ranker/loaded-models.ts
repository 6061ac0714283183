import type { FeatureShape } from "../../../model/features/batch.ts";
import { checkGoldenVectors, checkListSizes, checkModel } from "../../../model/onnx/check-model.ts";
import type { ModelCost } from "../../../model/onnx/inspect/inspect-graph.ts";
import { inspectOnnx } from "../../../model/onnx/inspect/inspect-onnx.ts";
import { grouped, maxCandidatesPerRun } from "../../../model/onnx/inspect/limits.ts";
import { modelIdentity } from "../../../model/onnx/model-identity.ts";
import type { ModelSession } from "../../../model/onnx/model-session.ts";
import type { Ranker } from "../../../model/pipeline/ports.ts";
import type { ModelCalibration, ModelManifest } from "../../../shared/contracts/model.ts";
import { ok, type Result, refuse } from "../../../shared/contracts/result.ts";
import type { FirstStage } from "../../../shared/contracts/retrieval.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { ModelMemory, type ModelMemoryBounds, type ModelUse } from "./model-memory.ts";

/** A model in memory. */
interface Loaded {
  version: string;
  sha256: string;
  session: ModelSession;
  firstStage: FirstStage | undefined;
  calibration: ModelCalibration | undefined;
  /** Multiply-adds of one run with the longest list. */
  multiplyAdds: number;
}

/** Opens a session on a model file; throws if the runtime refuses the file. */
export type OpenSession = (bytes: Uint8Array, shape: FeatureShape) => Promise<ModelSession>;

/**
 * Returns the memory that a model of a file takes while it is loaded, in bytes: the runtime keeps the weights twice, the
 * second time packed for its kernels, and 0.3 MB besides. The tensors of a run are freed after it, and one run is at a
 * time, so that they count once for all models.
 */
export const modelBytes = (fileBytes: number): number => Math.ceil(512 * 1024 + 2.5 * fileBytes);

/** Seconds after which a caller may try again to load a model for which there was no place. */
const retryAfterNoPlace = 30;

/**
 * The models in this isolate's memory, within its bounds; {@link ModelMemory} says which one has a place. A model is known
 * by the identity of its manifest, so that two manifests of one file never share a ranker, and by its application.
 */
export class LoadedModels {
  readonly #memory: ModelMemory<Loaded>;
  readonly #open: OpenSession;
  readonly #shape: FeatureShape;

  /** `now` returns milliseconds since the Unix epoch. */
  constructor(open: OpenSession, shape: FeatureShape, bounds: ModelMemoryBounds, now?: () => number) {
    this.#open = open;
    this.#shape = shape;
    this.#memory = new ModelMemory(
      bounds,
      ({ value: { session, version } }) => {
        session
          .release()
          .catch((error: unknown) =>
            console.error({ event: "model not released", version, error: errorText(error) }),
          );
      },
      now,
    );
  }

  /** Bytes of all models, by {@link modelBytes}. */
  get bytes(): number {
    return this.#memory.bytes;
  }

  /**
   * Returns the ranker of a loaded model by its {@link modelIdentity}, else null. Call this for each use: a ranker fails
   * after its model is dropped.
   */
  get(application: string, identity: string): Ranker | null {
    const loaded = this.#memory.get(application, identity);
    return loaded ? this.#rankerOver(application, identity, loaded) : null;
  }

  /**
   * Returns the ranker of a loaded model that serves or is a candidate, else null: a model on trial answers no request,
   * since its memory is for the next trial.
   */
  getRegistered(application: string, identity: string): Ranker | null {
    const loaded = this.#memory.getRegistered(application, identity);
    return loaded ? this.#rankerOver(application, identity, loaded) : null;
  }

  /** Returns whether there is a place for a model, before its file is read. */
  hasPlace(application: string, { bytes }: Pick<ModelManifest, "bytes">, use: ModelUse): boolean {
    return this.#memory.hasPlace({ application, use, bytes: modelBytes(bytes) });
  }

  /** Says what the loaded models of an application are for now, by their identities; the others are not needed. */
  assign(application: string, uses: ReadonlyMap<string, ModelUse>): void {
    this.#memory.assign(application, uses);
  }

  /**
   * Checks a model against its manifest, its bounds and its golden vectors, and loads it. Refuses with `invalid_input` or
   * `too_large` and the reason, and with `unavailable` if there is no place for it now. If two callers load the same model
   * at once, the later one drops its session. Neither waits for the other, because the other's request may be canceled.
   */
  async load(
    application: string,
    manifest: unknown,
    bytes: Uint8Array<ArrayBuffer>,
    use: ModelUse,
  ): Promise<Result<Ranker>> {
    const checked = await checkModel(manifest, bytes, this.#shape);
    if (!checked.ok) return checked;
    const identity = await modelIdentity(checked.value);
    const present = this.get(application, identity);
    if (present) return ok(present);
    const inspected = inspectOnnx(bytes, this.#shape, checked.value.opset);
    if (!inspected.ok) return inspected;
    const size = modelBytes(bytes.byteLength);
    const place = this.#memory.reserve({ application, use, bytes: size });
    if (place === null)
      return refuse(
        "unavailable",
        `There is no memory for the model now: it takes ${grouped(size)} bytes beside those that serve. Try again later; a smaller file needs less.`,
        { retryAfter: retryAfterNoPlace },
      );
    try {
      const opened = await this.#openChecked(checked.value, bytes, inspected.value);
      if (!opened.ok) return opened;
      const meanwhile = this.get(application, identity);
      if (meanwhile) {
        await opened.value.session.release();
        return ok(meanwhile);
      }
      this.#memory.hold(place, { application, identity, use, bytes: size, value: opened.value });
      return ok(this.#rankerOver(application, identity, opened.value));
    } finally {
      this.#memory.cancel(place);
    }
  }

  async #openChecked(
    manifest: ModelManifest,
    bytes: Uint8Array,
    { multiplyAdds }: ModelCost,
  ): Promise<Result<Loaded>> {
    let session: ModelSession | null = null;
    try {
      session = await this.#open(bytes, this.#shape);
      const golden = await checkGoldenVectors(manifest, session);
      const checked = golden.ok ? await checkListSizes(manifest, session) : golden;
      if (checked.ok) {
        const { version, sha256, firstStage, calibration } = manifest;
        return ok({ version, sha256, firstStage, calibration, session, multiplyAdds });
      }
      await session.release();
      return checked;
    } catch (error) {
      // The file is input, so its uploader gets the runtime's error.
      await session?.release();
      return refuse("invalid_input", `The ONNX runtime cannot run the file: ${String(error)}`);
    }
  }

  /** Returns the ranker of a model. Each run counts as a use of the model, so that a long trial keeps its place. */
  #rankerOver(
    application: string,
    identity: string,
    { version, sha256, session, firstStage, calibration, multiplyAdds }: Loaded,
  ): Ranker {
    return {
      version,
      sha256,
      firstStage,
      calibration,
      multiplyAdds,
      score: (batch) => {
        if (batch.count > maxCandidatesPerRun)
          throw new Error(
            `a model scores at most ${grouped(maxCandidatesPerRun)} candidates in one run; got ${batch.count}`,
          );
        this.#memory.get(application, identity);
        return session.run(batch);
      },
    };
  }
}
