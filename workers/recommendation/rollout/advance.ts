import { noTotals, rateOf } from "../../../model/experiments/sequential.ts";
import { verdictOf } from "../../../model/experiments/verdict.ts";
import type { RolloutVerdict } from "../../../shared/contracts/model.ts";
import type { ArmTotals } from "../../../shared/experiments/arm-totals.ts";
import { UserCountsTable } from "../../../shared/experiments/user-counts.ts";
import type { RolloutSettings } from "../settings.ts";
import { type ModelRow, RegistryStore, type RolloutRow } from "../store.ts";
import { experimentOf } from "./arms.ts";

/** Who changes what nobody changed by hand. */
export const automatic = "rollout";

/** Where a version that is on its way is to go, and why; null for where it is. */
export interface Step {
  to: "canary" | "serving" | "rolled_back";
  reason: string;
}

/** Whether what was scored in the shadow may meet people. */
export function afterShadow(
  row: Pick<RolloutRow, "shadowAt" | "requests" | "failures">,
  { shadow }: Pick<RolloutSettings, "shadow">,
  now: number,
): Step | null {
  const { requests, failures, shadowAt } = row;
  const told = `${failures} of ${requests} shadow requests failed`;
  if (requests >= Math.max(1, shadow.minRequests) && failures > shadow.maxFailures * requests)
    return { to: "rolled_back", reason: told };
  if (requests < shadow.minRequests || now - shadowAt < shadow.minSeconds) return null;
  return { to: "canary", reason: told };
}

const figuresOf = (totals: ArmTotals): RolloutVerdict["canary"] => ({
  people: totals.people,
  exposures: totals.exposures,
  successes: totals.successes,
  rate: rateOf(totals),
});

/** What the outcomes say of a canary by now. */
export function canaryVerdict(
  totals: ReadonlyMap<string, ArmTotals>,
  { canary }: Pick<RolloutSettings, "canary">,
): RolloutVerdict {
  const candidate = totals.get("canary") ?? noTotals;
  const control = totals.get("control") ?? noTotals;
  return {
    ...verdictOf(candidate, control, canary),
    canary: figuresOf(candidate),
    control: figuresOf(control),
  };
}

/** Whether a canary has proven itself, has failed, or has had its time. */
export function afterCanary(
  verdict: RolloutVerdict,
  since: number,
  { canary }: Pick<RolloutSettings, "canary">,
  now: number,
): Step | null {
  if (verdict.verdict === "worse") return { to: "rolled_back", reason: verdict.reason };
  if (verdict.verdict === "good") return { to: "serving", reason: verdict.reason };
  if (now - since < canary.maxSeconds) return null;
  return {
    to: canary.undecided === "promote" ? "serving" : "rolled_back",
    reason: `nothing sure after ${Math.round(canary.maxSeconds)} s: ${verdict.reason}`,
  };
}

/** The present verdict of a version in its canary. */
export async function verdictNow(
  database: D1Database,
  settings: RolloutSettings,
  { application, version }: Pick<ModelRow, "application" | "version">,
): Promise<RolloutVerdict> {
  const totals = await new UserCountsTable(database).totals(application, experimentOf(version));
  return canaryVerdict(totals, settings);
}

/**
 * Brings an application's version on its way as far as it may go, or begins with the newest that waits. May be called at any
 * time, by anybody, as often as wanted. Answers whether something changed.
 */
export async function advance(
  database: D1Database,
  settings: RolloutSettings,
  application: string,
  now: number,
): Promise<boolean> {
  const store = new RegistryStore(database);
  const { candidate } = await store.inUse(application);
  if (!candidate) return settings.automatic && beginNext(store, application, now);
  const { version, status } = candidate;
  const row = await store.rollout(application, version);
  if (!row) {
    await store.beginRollout(application, version, now);
    return false;
  }
  if (status === "shadow") {
    const step = settings.automatic ? afterShadow(row, settings, now) : null;
    if (!step) return false;
    const went = await store.change(application, version, ["shadow"], step.to, {
      by: automatic,
      reason: step.reason,
      now,
    });
    if (went && step.to === "canary") await store.noteCanary(application, version, now);
    return went;
  }
  const verdict = await verdictNow(database, settings, candidate);
  const step = afterCanary(verdict, row.canaryAt ?? now, settings, now);
  if (!step || !settings.automatic) return false;
  // Noted before it ends: the counts of people leave with its end.
  await store.noteVerdict(application, version, verdict);
  const went = await store.change(application, version, ["canary"], step.to, {
    by: automatic,
    reason: step.reason,
    now,
  });
  if (went) await new UserCountsTable(database).end(application, experimentOf(version));
  return went;
}

/** Lets the newest version that waits into the shadow; older ones that wait are overtaken. */
async function beginNext(store: RegistryStore, application: string, now: number): Promise<boolean> {
  const [next, ...older] = (await store.list(application)).filter(({ status }) => status === "registered");
  if (!next) return false;
  await store.beginRollout(application, next.version, now);
  const began = await store.change(application, next.version, ["registered"], "shadow", {
    by: automatic,
    reason: "its turn",
    now,
  });
  for (const { version } of began ? older : [])
    await store.change(application, version, ["registered"], "retired", {
      by: automatic,
      reason: `${next.version} is newer`,
      now,
    });
  return began;
}
