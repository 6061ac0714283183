import type { RolloutVerdict } from "../../../shared/contracts/model.ts";
import { ExperimentCountsTable } from "../../../shared/experiments/experiment-counts.ts";
import { ExperimentStore } from "../experiments/experiment-store.ts";
import type { RolloutSettings } from "../settings.ts";
import { type ModelRow, RegistryStore } from "../store.ts";
import { rolloutExperimentOf } from "./canary-arm.ts";
import { type CanaryTotals, canaryVerdict, decideCanary, decideShadow } from "./decide-rollout.ts";

/** Actor of the changes that rollouts make by themselves. */
export const rolloutActor = "rollout";

const totalsOf = (
  database: D1Database,
  { application, version }: Pick<ModelRow, "application" | "version">,
): Promise<CanaryTotals> =>
  new ExperimentCountsTable(database).totals(application, rolloutExperimentOf(version));

/** Returns the present verdict on a version in its canary, from the stored counts. */
export const currentVerdict = async (
  database: D1Database,
  settings: RolloutSettings,
  row: Pick<ModelRow, "application" | "version">,
): Promise<RolloutVerdict> => canaryVerdict(await totalsOf(database, row), settings);

/**
 * Advances an application's rollout by one decision, or starts the rollout of its newest registered version. No canary
 * starts while an experiment compares models, or is about to. Callers
 * may run this at any time and concurrently: of two concurrent changes, the store applies one. Returns whether a status
 * changed.
 */
export async function advanceRollout(
  database: D1Database,
  settings: RolloutSettings,
  application: string,
  now: number,
): Promise<boolean> {
  const store = new RegistryStore(database);
  const { candidate } = await store.servingAndCandidate(application);
  if (!candidate) return settings.automatic && startNextRollout(store, application, now);
  const { version, status } = candidate;
  const row = await store.rollout(application, version);
  if (!row) {
    await store.beginRollout(application, version, now);
    return false;
  }
  if (status === "shadow") {
    const decision = settings.automatic ? decideShadow(row, settings, now) : null;
    if (!decision) return false;
    // An experiment that compares models goes first: in a canary of the same users, both would compare mixtures.
    if (decision.to === "canary" && (await new ExperimentStore(database).comparesModels(application, now)))
      return false;
    const changed = await store.changeStatus(application, version, ["shadow"], decision.to, {
      by: rolloutActor,
      reason: decision.reason,
      now,
    });
    if (changed && decision.to === "canary") await store.setCanaryStart(application, version, now);
    return changed;
  }
  const totals = await totalsOf(database, candidate);
  const decision = decideCanary(totals, row.canaryAt ?? now, settings, now);
  if (!decision || !settings.automatic) return false;
  // The verdict must be stored first, because the counts are erased when the canary ends.
  await store.setVerdict(application, version, canaryVerdict(totals, settings));
  const changed = await store.changeStatus(application, version, ["canary"], decision.to, {
    by: rolloutActor,
    reason: decision.reason,
    now,
  });
  if (changed)
    await new ExperimentCountsTable(database).eraseExperiment(application, rolloutExperimentOf(version));
  return changed;
}

/**
 * Starts the shadow of the newest registered version and retires the older registered ones. Returns whether it started.
 */
async function startNextRollout(store: RegistryStore, application: string, now: number): Promise<boolean> {
  const [next, ...older] = (await store.list(application)).filter(({ status }) => status === "registered");
  if (!next) return false;
  await store.beginRollout(application, next.version, now);
  const started = await store.changeStatus(application, next.version, ["registered"], "shadow", {
    by: rolloutActor,
    reason: "newest registered version",
    now,
  });
  for (const { version } of started ? older : [])
    await store.changeStatus(application, version, ["registered"], "retired", {
      by: rolloutActor,
      reason: `${next.version} is newer`,
      now,
    });
  return started;
}
