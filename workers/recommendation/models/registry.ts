import { maxModelBytes } from "../../../model/onnx/manifest.ts";
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
import { UserCountsTable } from "../../../shared/experiments/user-counts.ts";
import { judge } from "../gate/judge.ts";
import { registeredModels } from "../ranker/models.ts";
import { advance, verdictNow } from "../rollout/advance.ts";
import { experimentOf } from "../rollout/arms.ts";
import { prune } from "../rollout/prune.ts";
import { settingsOf } from "../settings.ts";
import { type ModelRow, RegistryStore } from "../store.ts";
import { deployedManifest, deployedRecord } from "./deployed-model.ts";
import { driftDays } from "./drift.ts";
import { modelKey } from "./model-key.ts";
import { followPointer, servingRanker } from "./serving-model.ts";

const recordOf = (row: ModelRow): ModelRecord => ({
  version: row.version,
  sha256: row.sha256,
  status: row.status,
  parent: row.parent,
  metrics: row.metrics,
  createdAt: toInstant(row.createdAt),
  promotedAt: row.promotedAt === null ? null : toInstant(row.promotedAt),
  dataWindow: modelManifest.parse(row.manifest).dataWindow,
  origin: row.origin ?? broughtByHand,
  promotedBy: row.promotedBy,
});

/** Who changes what a holder of a key asks for. */
const byHand = "hand";

/** Brought by whoever holds a key. */
const broughtByHand: ModelOrigin = { by: byHand, gate: null };

/** Models of one application. */
export class Registry {
  readonly #env: RecommendationEnv;
  readonly #store: RegistryStore;
  readonly #application: string;

  constructor(env: RecommendationEnv, application: string) {
    this.#env = env;
    this.#store = new RegistryStore(env.DB);
    this.#application = application;
  }

  async list(): Promise<ModelRecord[]> {
    return (await this.#store.list(this.#application)).map(recordOf);
  }

  /** All that is known of a version. */
  async details(version: string): Promise<Result<ModelDetails>> {
    const row = await this.#store.get(this.#application, version);
    if (!row && version === deployedManifest.version) return ok(await this.#deployed());
    if (!row) return refuse("not_found", `There is no model ${version}.`);
    const changes = await this.#store.changes(this.#application, version);
    return ok({
      ...recordOf(row),
      manifest: modelManifest.parse(row.manifest),
      rollout: await this.#rollout(row),
      drift: await driftDays(this.#store, this.#application, version),
      changes: changes.map(({ status, by, reason, at }) => ({ status, by, reason, at: toInstant(at) })),
    });
  }

  /** What is told of the model that is deployed with the code. */
  async #deployed(): Promise<ModelDetails> {
    const serves = (await this.#store.serving(this.#application)) === null;
    return {
      ...deployedRecord(serves),
      manifest: deployedManifest,
      rollout: null,
      drift: await driftDays(this.#store, this.#application, deployedManifest.version),
      changes: [],
    };
  }

  async #rollout(row: ModelRow): Promise<RolloutRecord | null> {
    const known = await this.#store.rollout(this.#application, row.version);
    if (!known) return null;
    const { requests, failures, overlap, distance, shadowAt, canaryAt } = known;
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
                  ? await verdictNow(this.#env.DB, settingsOf(this.#env), row)
                  : known.verdict,
            },
    };
  }

  /**
   * Checks a model by running it and stores it. An application's first that is brought by hand serves at once; another
   * begins its way: the shadow, the canary, service. May be repeated, where its answer got lost.
   */
  async register(
    manifest: ModelManifest,
    bytes: ArrayBuffer,
    now: number,
    origin: ModelOrigin = broughtByHand,
  ): Promise<Result<ModelRecord>> {
    if (bytes.byteLength > maxModelBytes)
      return refuse("too_large", `A model has at most ${maxModelBytes} bytes.`);
    const loaded = await registeredModels.load(manifest, new Uint8Array(bytes));
    if (!loaded.ok) return loaded;
    await this.#env.MODELS.put(modelKey(this.#application, manifest.sha256), bytes);
    const { version } = manifest;
    const known = await this.#store.list(this.#application);
    const stored = known.find((each) => each.version === version);
    if (stored && stored.sha256 !== manifest.sha256) return this.#taken(version);
    const first =
      origin === broughtByHand &&
      known.every((each) => each.version === version && each.status === "registered");
    if (!stored) {
      // What recalibrations bring has passed the gate; for an application's first there is nothing to be better than.
      const judged =
        origin.gate !== null || first ? origin : await this.#judged(loaded.value, bytes.byteLength, now);
      if (!(await this.#add(manifest, judged, now))) return this.#taken(version);
    }
    await prune(this.#env, this.#application, settingsOf(this.#env).kept);
    if (first) return this.promote(version, now, "first of its application");
    if (await advance(this.#env.DB, settingsOf(this.#env), this.#application, now)) await this.#follow();
    return this.#record(version);
  }

  #taken(version: string): Result<never> {
    return refuse("conflict", `There is another model of version ${version}.`);
  }

  /** Adds a version, refused where the gate does not let it in; answers false where another took its name meanwhile. */
  #add(manifest: ModelManifest, origin: ModelOrigin, now: number): Promise<boolean> {
    const { version, sha256, parent, metrics } = manifest;
    const refused = origin.gate?.passed === false;
    const reason = refused ? `the gate: ${origin.gate?.reasons.join("; ")}` : "registered";
    return this.#store.add(
      {
        ...{ application: this.#application, version, sha256, parent, manifest, metrics, origin },
        ...{ status: refused ? "refused" : "registered", createdAt: now, promotedAt: null, promotedBy: null },
      },
      { by: origin.by, reason, now },
    );
  }

  /** What the gate says of a model that was brought. */
  async #judged(candidate: Ranker, bytes: number, now: number): Promise<ModelOrigin> {
    const contest = { candidate, bytes, serving: await servingRanker(this.#env, this.#application) };
    const { gate } = settingsOf(this.#env);
    return { by: byHand, gate: await judge(this.#env, this.#application, contest, gate, now) };
  }

  /** Lets a version serve, wherever it is. */
  async promote(version: string, now: number, reason = "asked for"): Promise<Result<ModelRecord>> {
    const { candidate } = await this.#store.inUse(this.#application);
    await this.#noteVerdict(candidate);
    const promoted = await this.#store.change(
      this.#application,
      version,
      ["registered", "shadow", "canary", "serving", "retired", "refused", "rolled_back"],
      "serving",
      { by: byHand, reason, now },
    );
    if (!promoted) return refuse("not_found", `There is no model ${version}.`);
    await this.#ended(candidate);
    return this.#record(version);
  }

  /**
   * Takes a version back: one that is on its way ends there; for one that serves, what served before serves again, the
   * model that is deployed with the code where there is none.
   */
  async rollback(version: string, now: number): Promise<Result<ModelRecord>> {
    const { serving, candidate } = await this.#store.inUse(this.#application);
    const back = { by: byHand, reason: "asked for", now };
    await this.#noteVerdict(candidate);
    if (candidate?.version === version) {
      if (!(await this.#store.change(this.#application, version, ["shadow", "canary"], "rolled_back", back)))
        return refuse("conflict", `Model ${version} is no longer on its way.`);
      await this.#ended(candidate);
      return this.#record(version);
    }
    if (serving?.version !== version)
      return refuse("conflict", `Model ${version} neither serves nor is on its way.`);
    const before = await this.#store.previous(this.#application);
    // One serves at every moment: the other takes over first.
    if (before)
      await this.#store.change(this.#application, before.version, ["retired"], "serving", {
        ...back,
        reason: `${version} was rolled back`,
      });
    const from = before ? "retired" : "serving";
    if (!(await this.#store.change(this.#application, version, [from], "rolled_back", back)))
      return refuse("conflict", `Model ${version} no longer serves.`);
    await this.#ended(candidate);
    return this.#record(before?.version ?? version);
  }

  /** Keeps what the outcomes of a canary say, which may end now: the counts of people leave with its end. */
  async #noteVerdict(candidate: ModelRow | null): Promise<void> {
    if (candidate?.status !== "canary") return;
    const verdict = await verdictNow(this.#env.DB, settingsOf(this.#env), candidate);
    await this.#store.noteVerdict(this.#application, candidate.version, verdict);
  }

  /** What follows where a version that was on its way, if any, may have ended. */
  async #ended(candidate: ModelRow | null): Promise<void> {
    if (candidate) {
      const now = await this.#store.get(this.#application, candidate.version);
      if (now?.status !== "shadow" && now?.status !== "canary")
        await new UserCountsTable(this.#env.DB).end(this.#application, experimentOf(candidate.version));
    }
    await this.#follow();
  }

  /** This isolate answers by what the registry now says. */
  #follow(): Promise<void> {
    return followPointer(this.#env, this.#application);
  }

  async #record(version: string): Promise<Result<ModelRecord>> {
    const row = await this.#store.get(this.#application, version);
    return row ? ok(recordOf(row)) : refuse("not_found", `There is no model ${version}.`);
  }
}
