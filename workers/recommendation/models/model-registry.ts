import { modelIdentity } from "../../../model/onnx/model-identity.ts";
import type { Ranker } from "../../../model/pipeline/ports.ts";
import {
  type ModelDetails,
  type ModelManifest,
  type ModelOrigin,
  type ModelRecord,
  modelManifest,
  type RolloutRecord,
} from "../../../shared/contracts/model.ts";
import { toInstant } from "../../../shared/contracts/primitives.ts";
import { ok, type Result, refuse } from "../../../shared/contracts/result.ts";
import { ExperimentCountsTable } from "../../../shared/experiments/experiment-counts.ts";
import { putAtRate } from "../../../shared/r2/put-at-rate.ts";
import { evaluateCandidate } from "../gate/evaluate-candidate.ts";
import { applicationModels } from "../ranker/isolate-models.ts";
import { advanceRollout, currentVerdict } from "../rollout/advance-rollout.ts";
import { rolloutExperimentOf } from "../rollout/canary-arm.ts";
import { rolloutSettingsOf } from "../settings.ts";
import { type ModelRow, RegistryStore } from "../store.ts";
import { bundledModelManifest, bundledRecord } from "./bundled-model.ts";
import { driftByDay } from "./drift.ts";
import { modelKey } from "./model-key.ts";
import { pruneModels } from "./prune-models.ts";
import { refreshSnapshot, servingRanker } from "./serving-rankers.ts";

const recordOf = (row: ModelRow): ModelRecord => ({
  version: row.version,
  sha256: row.sha256,
  status: row.status,
  parent: row.parent,
  metrics: row.metrics,
  createdAt: toInstant(row.createdAt),
  promotedAt: row.promotedAt === null ? null : toInstant(row.promotedAt),
  dataWindow: modelManifest.parse(row.manifest).dataWindow,
  origin: row.origin ?? uploadedByHand,
  promotedBy: row.promotedBy,
});

/** Actor of changes that an API key requests. */
const byHand = "hand";

/** Origin of models that are uploaded with an API key. */
const uploadedByHand: ModelOrigin = { by: byHand, gate: null };

/** The models of one application: registers them, changes their status, describes them. */
export class ModelRegistry {
  readonly #env: RecommendationEnv;
  readonly #store: RegistryStore;
  readonly #application: string;

  constructor(env: RecommendationEnv, application: string) {
    this.#env = env;
    this.#store = new RegistryStore(env.DB);
    this.#application = application;
  }

  /** Returns the registered versions, newest first. */
  async list(): Promise<ModelRecord[]> {
    return (await this.#store.list(this.#application)).map(recordOf);
  }

  /**
   * Returns all versions that can serve, of which one does: the registered versions, newest first, and the bundled model
   * last. An upload of the bundled model stands for it, unless the bundled model serves because nothing else does.
   */
  async listWithBundled(): Promise<ModelRecord[]> {
    const registered = await this.list();
    const bundled = bundledRecord(registered.every(({ status }) => status !== "serving"));
    const others = registered.filter(({ version }) => version !== bundled.version);
    return others.length < registered.length && bundled.status !== "serving"
      ? registered
      : [...others, bundled];
  }

  /** Returns a version with its manifest, rollout, drift and status changes. */
  async details(version: string): Promise<Result<ModelDetails>> {
    const row = await this.#store.version(this.#application, version);
    if (!row && version === bundledModelManifest.version) return ok(await this.#bundledDetails());
    if (!row) return refuse("not_found", `There is no model ${version}.`);
    const changes = await this.#store.changes(this.#application, version);
    return ok({
      ...recordOf(row),
      manifest: modelManifest.parse(row.manifest),
      rollout: await this.#rolloutRecord(row),
      drift: await driftByDay(this.#store, this.#application, version),
      changes: changes.map(({ status, by, reason, at }) => ({ status, by, reason, at: toInstant(at) })),
    });
  }

  /** Returns the details of the bundled model. */
  async #bundledDetails(): Promise<ModelDetails> {
    const serves = (await this.#store.serving(this.#application)) === null;
    return {
      ...bundledRecord(serves),
      manifest: bundledModelManifest,
      rollout: null,
      drift: await driftByDay(this.#store, this.#application, bundledModelManifest.version),
      changes: [],
    };
  }

  async #rolloutRecord(row: ModelRow): Promise<RolloutRecord | null> {
    const rollout = await this.#store.rollout(this.#application, row.version);
    if (!rollout) return null;
    const { requests, failures, overlap, distance, shadowAt, canaryAt } = rollout;
    const scored = requests - failures;
    return {
      shadow: {
        since: toInstant(shadowAt),
        requests,
        failures,
        overlap: scored > 0 ? overlap / scored : null,
        distance: scored > 0 ? distance / scored : null,
      },
      canary:
        canaryAt === null
          ? null
          : {
              since: toInstant(canaryAt),
              outcomes:
                row.status === "canary"
                  ? await currentVerdict(this.#env.DB, rolloutSettingsOf(this.#env), row)
                  : rollout.verdict,
            },
    };
  }

  /**
   * Checks a model by running it, stores it, and returns its record. An application's first uploaded model serves at
   * once; any other model starts a rollout: shadow, canary, serving. Idempotent, so a lost answer can be retried.
   */
  async register(
    manifest: ModelManifest,
    bytes: ArrayBuffer,
    now: number,
    origin: ModelOrigin = uploadedByHand,
  ): Promise<Result<ModelRecord>> {
    const identity = await modelIdentity(manifest);
    if (
      manifest.version === bundledModelManifest.version &&
      identity !== (await modelIdentity(bundledModelManifest))
    )
      return this.#versionConflict(manifest.version);
    const loaded = await applicationModels.load(this.#application, manifest, new Uint8Array(bytes), "trial");
    if (!loaded.ok) return loaded;
    await this.#putFile(manifest.sha256, bytes);
    const { version } = manifest;
    const versions = await this.#store.list(this.#application);
    const stored = versions.find((each) => each.version === version);
    if (stored && (await modelIdentity(modelManifest.parse(stored.manifest))) !== identity)
      return this.#versionConflict(version);
    const isFirst =
      origin === uploadedByHand &&
      versions.every((each) => each.version === version && each.status === "registered");
    if (!stored) {
      // Recalibrated models have passed the gate. An application's first model has nothing to be compared with.
      const checkedOrigin =
        origin.gate !== null || isFirst
          ? ok(origin)
          : await this.#evaluated(loaded.value, bytes.byteLength, now);
      if (!checkedOrigin.ok) return checkedOrigin;
      if (!(await this.#add(manifest, checkedOrigin.value, now))) return this.#versionConflict(version);
    }
    await pruneModels(this.#env, this.#application, rolloutSettingsOf(this.#env).kept, now);
    if (isFirst) return this.promote(version, now, "first of its application");
    if (await advanceRollout(this.#env.DB, rolloutSettingsOf(this.#env), this.#application, now))
      await this.#refreshIsolate();
    return this.#record(version);
  }

  /** Stores a model's file, unless it is stored: its key has its hash, so it never changes. */
  async #putFile(sha256: string, bytes: ArrayBuffer): Promise<void> {
    const key = modelKey(this.#application, sha256);
    if ((await this.#env.MODELS.head(key)) === null) await putAtRate(this.#env.MODELS, key, bytes);
  }

  #versionConflict(version: string): Result<never> {
    return refuse(
      "conflict",
      `Version ${version} exists with another file or manifest; register the model under a new version.`,
    );
  }

  /** Adds a version; its status is `refused` if the gate refused it. Returns false if the version exists already. */
  #add(manifest: ModelManifest, origin: ModelOrigin, now: number): Promise<boolean> {
    const { version, sha256, parent, metrics } = manifest;
    const refused = origin.gate?.passed === false;
    const reason = refused ? `the gate: ${origin.gate?.reasons.join("; ")}` : "registered";
    return this.#store.add(
      {
        application: this.#application,
        version,
        sha256,
        parent,
        manifest,
        metrics,
        origin,
        status: refused ? "refused" : "registered",
        createdAt: now,
        promotedAt: null,
        promotedBy: null,
      },
      { by: origin.by, reason, now },
    );
  }

  /**
   * Evaluates an uploaded model by the gate and returns its origin with the result. Refuses with `unavailable` if this
   * isolate has no memory for the serving model, with which the gate compares.
   */
  async #evaluated(candidate: Ranker, bytes: number, now: number): Promise<Result<ModelOrigin>> {
    const serving = await servingRanker(this.#env, this.#application);
    if (!serving.ok) return serving;
    const models = { candidate, bytes, serving: serving.value };
    const { gate } = rolloutSettingsOf(this.#env);
    return ok({ by: byHand, gate: await evaluateCandidate(this.#env, this.#application, models, gate, now) });
  }

  /** Returns whether a version is the bundled model, and not an upload of it. */
  async #isBundled(version: string): Promise<boolean> {
    if (version !== bundledModelManifest.version) return false;
    return (await this.#store.version(this.#application, version)) === null;
  }

  /** Makes the bundled model serve: retires the serving version and the candidate. */
  async #promoteBundled(now: number): Promise<Result<ModelRecord>> {
    const { serving, candidate } = await this.#store.servingAndCandidate(this.#application);
    await this.#storeVerdict(candidate);
    const cause = { by: byHand, reason: `${bundledModelManifest.version} serves: requested`, now };
    for (const row of [candidate, serving])
      if (row) await this.#store.changeStatus(this.#application, row.version, [row.status], "retired", cause);
    await this.#afterCandidateEnds(candidate);
    return ok(bundledRecord(true));
  }

  /**
   * Replaces the serving bundled model by the version that served before. Refuses if another version serves, or if no
   * other version did.
   */
  async #rollBackBundled(now: number): Promise<Result<ModelRecord>> {
    const { version } = bundledModelManifest;
    const { serving, candidate } = await this.#store.servingAndCandidate(this.#application);
    if (serving)
      return refuse(
        "conflict",
        `Model ${version} does not serve, so it cannot be rolled back: ${serving.version} serves.`,
      );
    const previous = await this.#store.previouslyServing(this.#application);
    if (!previous)
      return refuse(
        "conflict",
        `Model ${version} is deployed with the code, and no version that served before it is left; promote another version.`,
      );
    await this.#storeVerdict(candidate);
    const cause = { by: byHand, reason: `${version} was rolled back`, now };
    if (!(await this.#store.changeStatus(this.#application, previous.version, ["retired"], "serving", cause)))
      return refuse("conflict", `Model ${previous.version} has changed meanwhile; try again.`);
    await this.#afterCandidateEnds(candidate);
    return this.#record(previous.version);
  }

  /** Makes a version serve, whatever its status is. */
  async promote(version: string, now: number, reason = "requested"): Promise<Result<ModelRecord>> {
    if (await this.#isBundled(version)) return this.#promoteBundled(now);
    const { candidate } = await this.#store.servingAndCandidate(this.#application);
    await this.#storeVerdict(candidate);
    const promoted = await this.#store.changeStatus(
      this.#application,
      version,
      ["registered", "shadow", "canary", "serving", "retired", "refused", "rolled_back"],
      "serving",
      { by: byHand, reason, now },
    );
    if (!promoted) return refuse("not_found", `There is no model ${version}.`);
    await this.#afterCandidateEnds(candidate);
    return this.#record(version);
  }

  /**
   * Rolls a version back. A candidate's rollout ends. A serving version is replaced by the version that served before
   * it, or by the bundled model if there is none. The bundled model is replaced by the version that served before it.
   */
  async rollback(version: string, now: number): Promise<Result<ModelRecord>> {
    if (await this.#isBundled(version)) return this.#rollBackBundled(now);
    const { serving, candidate } = await this.#store.servingAndCandidate(this.#application);
    const cause = { by: byHand, reason: "requested", now };
    await this.#storeVerdict(candidate);
    if (candidate?.version === version) {
      if (
        !(await this.#store.changeStatus(
          this.#application,
          version,
          ["shadow", "canary"],
          "rolled_back",
          cause,
        ))
      )
        return refuse("conflict", `The rollout of model ${version} has ended meanwhile.`);
      await this.#afterCandidateEnds(candidate);
      return this.#record(version);
    }
    if (serving?.version !== version)
      return refuse(
        "conflict",
        `Model ${version} is neither serving nor in a rollout, so it cannot be rolled back.`,
      );
    const previous = await this.#store.previouslyServing(this.#application);
    // A model must serve at every moment, so the previous version is promoted first.
    if (previous)
      await this.#store.changeStatus(this.#application, previous.version, ["retired"], "serving", {
        ...cause,
        reason: `${version} was rolled back`,
      });
    const from = previous ? "retired" : "serving";
    if (!(await this.#store.changeStatus(this.#application, version, [from], "rolled_back", cause)))
      return refuse("conflict", `Model ${version} has stopped serving meanwhile.`);
    await this.#afterCandidateEnds(candidate);
    return this.#record(previous?.version ?? version);
  }

  /** Stores the present verdict of a canary before it may end, because its counts are erased when it ends. */
  async #storeVerdict(candidate: ModelRow | null): Promise<void> {
    if (candidate?.status !== "canary") return;
    const verdict = await currentVerdict(this.#env.DB, rolloutSettingsOf(this.#env), candidate);
    await this.#store.setVerdict(this.#application, candidate.version, verdict);
  }

  /** Erases the counts of a candidate whose rollout has ended, and refreshes this isolate's snapshot. */
  async #afterCandidateEnds(candidate: ModelRow | null): Promise<void> {
    if (candidate) {
      const row = await this.#store.version(this.#application, candidate.version);
      if (row?.status !== "shadow" && row?.status !== "canary")
        await new ExperimentCountsTable(this.#env.DB).eraseExperiment(
          this.#application,
          rolloutExperimentOf(candidate.version),
        );
    }
    await this.#refreshIsolate();
  }

  #refreshIsolate(): Promise<void> {
    return refreshSnapshot(this.#env, this.#application);
  }

  async #record(version: string): Promise<Result<ModelRecord>> {
    const row = await this.#store.version(this.#application, version);
    return row ? ok(recordOf(row)) : refuse("not_found", `There is no model ${version}.`);
  }
}
