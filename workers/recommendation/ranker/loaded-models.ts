import type { FeatureShape } from "../../../model/features/batch.ts";
import { checkGoldenVectors, checkListSizes, checkModel } from "../../../model/onnx/check-model.ts";
import { inspectOnnx } from "../../../model/onnx/inspect/inspect-onnx.ts";
import { grouped, maxCandidatesPerRun } from "../../../model/onnx/inspect/limits.ts";
import { modelIdentity } from "../../../model/onnx/model-identity.ts";
import type { ModelSession } from "../../../model/onnx/model-session.ts";
import type { Ranker } from "../../../model/pipeline/ports.ts";
import { ShareCache } from "../../../shared/cache/share-cache.ts";
import type { ModelManifest } from "../../../shared/contracts/model.ts";
import { ok, type Result, refuse } from "../../../shared/contracts/result.ts";
import type { FirstStage } from "../../../shared/contracts/retrieval.ts";
import { errorText } from "../../../shared/errors/error-text.ts";

/** A model in memory. */
interface Loaded {
  version: string;
  sha256: string;
  session: ModelSession;
  firstStage: FirstStage | undefined;
  /** Estimate of its memory. */
  bytes: number;
}

/** Opens a session on a model file; throws if the runtime refuses the file. */
export type OpenSession = (bytes: Uint8Array, shape: FeatureShape) => Promise<ModelSession>;

/** Smallest estimate of a model's memory, in bytes: what a session of the runtime takes besides weights and tensors. */
const minModelBytes = 4 * 1024 * 1024;

/**
 * The models in this isolate's memory, within `maxBytes` together. Each application has its share: one that loads many
 * models drops its own. A model is known by the identity of its manifest, so that two manifests of one file never share
 * a ranker, and by its application.
 */
export class LoadedModels {
  readonly #models: ShareCache<Loaded>;
  readonly #open: OpenSession;
  readonly #shape: FeatureShape;

  constructor(open: OpenSession, shape: FeatureShape, maxBytes: number) {
    this.#open = open;
    this.#shape = shape;
    this.#models = new ShareCache({
      maxSize: maxBytes,
      sizeOf: ({ bytes }) => bytes,
      onDelete: (_application, _key, { session, version }) => {
        session
          .release()
          .catch((error: unknown) =>
            console.error({ event: "model not released", version, error: errorText(error) }),
          );
      },
    });
  }

  /**
   * Returns the ranker of a loaded model by its {@link modelIdentity}, else null. Call this for each use: a ranker fails
   * after its model is dropped.
   */
  get(application: string, identity: string): Ranker | null {
    const loaded = this.#models.get(application, identity);
    return loaded ? rankerOver(loaded) : null;
  }

  /**
   * Checks a model against its manifest, its bounds and its golden vectors, and loads it. Refuses with `invalid_input` or
   * `too_large` and the reason. If two callers load the same model at once, the later one drops its session. Neither
   * waits for the other, because the other's request may be canceled.
   */
  async load(
    application: string,
    manifest: unknown,
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<Result<Ranker>> {
    const checked = await checkModel(manifest, bytes, this.#shape);
    if (!checked.ok) return checked;
    const identity = await modelIdentity(checked.value);
    const present = this.get(application, identity);
    if (present) return ok(present);
    const opened = await this.#openChecked(checked.value, bytes);
    if (!opened.ok) return opened;
    const meanwhile = this.get(application, identity);
    if (meanwhile) {
      await opened.value.session.release();
      return ok(meanwhile);
    }
    this.#models.set(application, identity, opened.value);
    return ok(rankerOver(opened.value));
  }

  async #openChecked(manifest: ModelManifest, bytes: Uint8Array): Promise<Result<Loaded>> {
    const inspected = inspectOnnx(bytes, this.#shape, manifest.opset);
    if (!inspected.ok) return inspected;
    let session: ModelSession | null = null;
    try {
      session = await this.#open(bytes, this.#shape);
      const golden = await checkGoldenVectors(manifest, session);
      const checked = golden.ok ? await checkListSizes(manifest, session) : golden;
      if (checked.ok) {
        const { version, sha256, firstStage } = manifest;
        // The runtime keeps the weights twice, the second time packed for its kernels.
        const memory = Math.max(minModelBytes, 2 * bytes.byteLength + inspected.value.tensorBytes);
        return ok({ version, sha256, firstStage, session, bytes: memory });
      }
      await session.release();
      return checked;
    } catch (error) {
      // The file is input, so its uploader gets the runtime's error.
      await session?.release();
      return refuse("invalid_input", `The ONNX runtime cannot run the file: ${String(error)}`);
    }
  }
}

const rankerOver = ({ version, sha256, session, firstStage }: Loaded): Ranker => ({
  version,
  sha256,
  firstStage,
  score: (batch) => {
    if (batch.count > maxCandidatesPerRun)
      throw new Error(
        `a model scores at most ${grouped(maxCandidatesPerRun)} candidates in one run; got ${batch.count}`,
      );
    return session.run(batch);
  },
});
