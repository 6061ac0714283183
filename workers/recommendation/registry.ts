import { maxModelBytes } from "../../model/onnx/manifest.ts";
import {
  type ModelManifest,
  type ModelOrigin,
  type ModelRecord,
  modelManifest,
} from "../shared/contracts/model.ts";
import { toInstant } from "../shared/contracts/primitives.ts";
import { ok, type Result, refuse } from "../shared/contracts/result.ts";
import { registeredModels } from "./ranker/models.ts";
import { forgetPointer } from "./serving.ts";
import type { ModelRow, RegistryStore } from "./store.ts";

/** Key of a model's file in R2: by content, so it never changes. */
export const modelKey = (application: string, sha256: string): string =>
  `${application}/models/${sha256}.onnx`;

const recordOf = (row: ModelRow): ModelRecord => ({
  version: row.version,
  sha256: row.sha256,
  status: row.status,
  parent: row.parent,
  metrics: row.metrics,
  createdAt: toInstant(row.createdAt),
  promotedAt: row.promotedAt === null ? null : toInstant(row.promotedAt),
  dataWindow: modelManifest.parse(row.manifest).dataWindow,
  origin: row.origin ?? byHand,
  promotedBy: row.promotedBy,
});

/** Brought by whoever holds a key. */
const byHand: ModelOrigin = { by: "hand", gate: null };

/** Models of one application. */
export class Registry {
  readonly #store: RegistryStore;
  readonly #files: R2Bucket;
  readonly #application: string;

  constructor(store: RegistryStore, files: R2Bucket, application: string) {
    this.#store = store;
    this.#files = files;
    this.#application = application;
  }

  async list(): Promise<ModelRecord[]> {
    return (await this.#store.list(this.#application)).map(recordOf);
  }

  /** Checks a model by running it and stores it. An application's first that is brought by hand serves at once. */
  async register(
    manifest: ModelManifest,
    bytes: ArrayBuffer,
    now: number,
    origin: ModelOrigin = byHand,
  ): Promise<Result<ModelRecord>> {
    if (bytes.byteLength > maxModelBytes)
      return refuse("too_large", `A model has at most ${maxModelBytes} bytes.`);
    const loaded = await registeredModels.load(manifest, new Uint8Array(bytes));
    if (!loaded.ok) return loaded;
    await this.#files.put(modelKey(this.#application, manifest.sha256), bytes);
    const first = origin === byHand && (await this.#store.serving(this.#application)) === null;
    const row: ModelRow = {
      application: this.#application,
      version: manifest.version,
      sha256: manifest.sha256,
      status: "registered",
      parent: manifest.parent,
      manifest,
      metrics: manifest.metrics,
      createdAt: now,
      promotedAt: null,
      origin,
      promotedBy: null,
    };
    const added = await this.#store.add(row);
    const stored = await this.#store.get(this.#application, manifest.version);
    if (!stored || (!added && stored.sha256 !== manifest.sha256))
      return refuse("conflict", `There is another model of version ${manifest.version}.`);
    return first ? this.promote(manifest.version, now, "first of its application") : ok(recordOf(stored));
  }

  /** Lets a version serve. */
  async promote(version: string, now: number, by = "hand"): Promise<Result<ModelRecord>> {
    const row = await this.#store.get(this.#application, version);
    if (!row) return refuse("not_found", `There is no model ${version}.`);
    await this.#store.promote(this.#application, version, now, by);
    forgetPointer(this.#application);
    return ok(recordOf({ ...row, status: "serving", promotedAt: now, promotedBy: by }));
  }

  /** Takes a serving version back: the one before it serves again. */
  async rollback(version: string, now: number): Promise<Result<ModelRecord>> {
    const serving = await this.#store.serving(this.#application);
    if (serving?.version !== version) return refuse("conflict", `Model ${version} does not serve.`);
    const before = await this.#store.previous(this.#application);
    return before
      ? this.promote(before.version, now)
      : refuse("conflict", "No model served before this one.");
  }
}
