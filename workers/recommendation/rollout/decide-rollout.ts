import { emptyArmTotals, rateOf } from "../../../model/experiments/sequential.ts";
import { excludesLoss, verdictOf } from "../../../model/experiments/verdict.ts";
import type { RolloutVerdict } from "../../../shared/contracts/model.ts";
import type { ArmTotals } from "../../../shared/experiments/arm-totals.ts";
import type { RolloutSettings } from "../settings.ts";
import type { RolloutRow } from "../store.ts";

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

/** Totals of a canary's arms, by name of the arm. */
export type CanaryTotals = ReadonlyMap<string, ArmTotals>;

const armsOf = (totals: CanaryTotals): { candidate: ArmTotals; control: ArmTotals } => ({
  candidate: totals.get("canary") ?? emptyArmTotals,
  control: totals.get("control") ?? emptyArmTotals,
});

/** Returns the verdict on a canary by the outcomes of its arms. */
export function canaryVerdict(
  totals: CanaryTotals,
  { canary }: Pick<RolloutSettings, "canary">,
): RolloutVerdict {
  const { candidate, control } = armsOf(totals);
  return {
    ...verdictOf(candidate, control, canary),
    canary: figuresOf(candidate),
    control: figuresOf(control),
  };
}

/**
 * Decides whether a canary is promoted or rolled back; null while it continues. A sure verdict decides at any time. An
 * undecided candidate is promoted after `undecidedSeconds` if it is at least equal by its estimate and a large loss is
 * excluded, and ends after `maxSeconds`. The arms have the same number of users, so a canary with half of the control's
 * exposures failed in the others. `since` and `now` are in seconds since the Unix epoch.
 */
export function decideCanary(
  totals: CanaryTotals,
  since: number,
  settings: Pick<RolloutSettings, "canary">,
  now: number,
): RolloutDecision | null {
  const { canary } = settings;
  const { verdict, reason, canary: ranked, control } = canaryVerdict(totals, settings);
  if (verdict === "worse") return { to: "rolled_back", reason };
  if (verdict === "good") return { to: "serving", reason };
  const seconds = now - since;
  const isOver = seconds >= canary.maxSeconds;
  if (!isOver && seconds < canary.undecidedSeconds) return null;
  if (control.exposures >= canary.minExposures && 2 * ranked.exposures < control.exposures)
    return isOver
      ? {
          to: "rolled_back",
          reason: `the model ranked ${ranked.exposures} answers of the canary, while the control group got ${control.exposures}: it fails or is not loaded`,
        }
      : null;
  if (canary.undecided === "equal") {
    const { candidate, control: usual } = armsOf(totals);
    if (excludesLoss(candidate, usual, canary))
      return {
        to: "serving",
        reason: `at least equal, and not worse by ${Math.round(100 * canary.maxLoss)}%: ${reason}`,
      };
  }
  if (!isOver) return null;
  return {
    to: canary.undecided === "promote" ? "serving" : "rolled_back",
    reason: `no significant difference after ${Math.round(canary.maxSeconds)} s: ${reason}`,
  };
}
