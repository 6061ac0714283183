import type { FeatureShape } from "../../../model/features/batch.ts";
import { inspectOnnx } from "../../../model/onnx/inspect.ts";
import { checkAnswers, checkGolden, checkModel } from "../../../model/onnx/manifest.ts";
import type { Session } from "../../../model/onnx/session.ts";
import type { Ranker } from "../../../model/pipeline/ports.ts";
import type { ModelManifest } from "../../../shared/contracts/model.ts";
import { ok, type Result, refuse } from "../../../shared/contracts/result.ts";
import type { FirstStage } from "../../../shared/contracts/retrieval.ts";

/** What names a model: its version, and the content of its file. */
export type ModelName = Pick<ModelManifest, "version" | "sha256">;

/** A model in memory. */
interface Loaded {
  session: Session;
  firstStage: FirstStage | undefined;
}

/** Opens a session on a file; throws where the runtime refuses it. */
export type OpenSession = (bytes: Uint8Array, shape: FeatureShape) => Promise<Session>;

/**
 * The models that this isolate holds: at most `most`, the least recently used leaves. Keyed by content, so a file that
 * several applications serve is loaded once.
 */
export class LoadedModels {
  /** In the order of use, the oldest first. */
  readonly #sessions = new Map<string, Loaded>();
  readonly #open: OpenSession;
  readonly #shape: FeatureShape;
  readonly #most: number;

  constructor(open: OpenSession, shape: FeatureShape, most: number) {
    this.#open = open;
    this.#shape = shape;
    this.#most = most;
  }

  /** The model as a ranker, if it is loaded. It fails once the model has left: ask anew for each use. */
  get(name: ModelName): Ranker | null {
    const loaded = this.#sessions.get(name.sha256);
    if (!loaded) return null;
    this.#sessions.delete(name.sha256);
    this.#sessions.set(name.sha256, loaded);
    return rankerOver(name, loaded);
  }

  /**
   * Checks a model against its manifest and its golden vectors, and loads it; refuses with `invalid_input` or
   * `too_large` and the reason. Of two callers that load one file at once, the later drops its session: neither waits
   * for the other, whose request may end at any moment.
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

  async #openChecked(manifest: ModelManifest, bytes: Uint8Array): Promise<Result<Session>> {
    let session: Session | null = null;
    try {
      const inspected = inspectOnnx(bytes, this.#shape, manifest.opset);
      if (!inspected.ok) return inspected;
      session = await this.#open(bytes, this.#shape);
      const golden = await checkGolden(manifest, session);
      const checked = golden.ok ? await checkAnswers(manifest, session) : golden;
      if (checked.ok) return ok(session);
      await session.release();
      return checked;
    } catch (error) {
      // The file is input: what the runtime says about it is for whoever brought it.
      await session?.release();
      return refuse("invalid_input", `The runtime does not run the file: ${String(error)}`);
    }
  }

  async #dropOldest(): Promise<void> {
    for (const [sha256, { session }] of [...this.#sessions].slice(0, -this.#most)) {
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
