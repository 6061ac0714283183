import { emptyArmTotals, rateOf } from "../../../model/experiments/sequential.ts";
import { verdictOf } from "../../../model/experiments/verdict.ts";
import type { RolloutVerdict } from "../../../shared/contracts/model.ts";
import type { ArmTotals } from "../../../shared/experiments/arm-totals.ts";
import { ExperimentCountsTable } from "../../../shared/experiments/experiment-counts.ts";
import { ExperimentStore } from "../experiments/experiment-store.ts";
import type { RolloutSettings } from "../settings.ts";
import { type ModelRow, RegistryStore, type RolloutRow } from "../store.ts";
import { rolloutExperimentOf } from "./canary-arm.ts";

/** Actor of the changes that rollouts make by themselves. */
export const rolloutActor = "rollout";

/** The next status of a version in a rollout, and the reason. */
export interface RolloutDecision {
  to: "canary" | "serving" | "rolled_back";
  reason: string;
}

/** Decides whether a shadow model moves to the canary or is rolled back; null while it needs more requests or time. */
export function decideShadow(
  row: Pick<RolloutRow, "shadowAt" | "requests" | "failures">,
  { shadow }: Pick<RolloutSettings, "shadow">,
  now: number,
): RolloutDecision | null {
  const { requests, failures, shadowAt } = row;
  const reason = `${failures} of ${requests} shadow requests failed`;
  if (requests >= Math.max(1, shadow.minRequests) && failures > shadow.maxFailures * requests)
    return { to: "rolled_back", reason };
  if (requests < shadow.minRequests || now - shadowAt < shadow.minSeconds) return null;
  return { to: "canary", reason };
}

const figuresOf = (totals: ArmTotals): RolloutVerdict["canary"] => ({
  people: totals.people,
  exposures: totals.exposures,
  successes: totals.successes,
  rate: rateOf(totals),
});

/** Returns the verdict on a canary by the outcomes of its arms. */
export function canaryVerdict(
  totals: ReadonlyMap<string, ArmTotals>,
  { canary }: Pick<RolloutSettings, "canary">,
): RolloutVerdict {
  const candidate = totals.get("canary") ?? emptyArmTotals;
  const control = totals.get("control") ?? emptyArmTotals;
  return {
    ...verdictOf(candidate, control, canary),
    canary: figuresOf(candidate),
    control: figuresOf(control),
  };
}

/**
 * Decides whether a canary is promoted or rolled back, by its verdict or after its maximum duration; null while it
 * continues. The arms have the same number of users, so a canary with half of the control's exposures failed in the others. `since` and `now` are in seconds since the Unix epoch.
 */
export function decideCanary(
  verdict: RolloutVerdict,
  since: number,
  { canary }: Pick<RolloutSettings, "canary">,
  now: number,
): RolloutDecision | null {
  if (verdict.verdict === "worse") return { to: "rolled_back", reason: verdict.reason };
  if (verdict.verdict === "good") return { to: "serving", reason: verdict.reason };
  if (now - since < canary.maxSeconds) return null;
  const [ranked, expected] = [verdict.canary.exposures, verdict.control.exposures];
  if (expected >= canary.minExposures && 2 * ranked < expected)
    return {
      to: "rolled_back",
      reason: `the model ranked ${ranked} answers of the canary, while the control group got ${expected}: it fails or is not loaded`,
    };
  return {
    to: canary.undecided === "promote" ? "serving" : "rolled_back",
    reason: `no significant difference after ${Math.round(canary.maxSeconds)} s: ${verdict.reason}`,
  };
}

/** Returns the present verdict on a version in its canary, from the stored counts. */
export async function currentVerdict(
  database: D1Database,
  settings: RolloutSettings,
  { application, version }: Pick<ModelRow, "application" | "version">,
): Promise<RolloutVerdict> {
  const totals = await new ExperimentCountsTable(database).totals(application, rolloutExperimentOf(version));
  return canaryVerdict(totals, settings);
}

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
  const verdict = await currentVerdict(database, settings, candidate);
  const decision = decideCanary(verdict, row.canaryAt ?? now, settings, now);
  if (!decision || !settings.automatic) return false;
  // The verdict must be stored first, because the counts are erased when the canary ends.
  await store.setVerdict(application, version, verdict);
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
