import { armOf } from "../../../model/experiments/allocation.ts";
import { defaultVariant, rolloutPrefix, variantOf } from "../../../shared/experiments/variant.ts";
import type { RolloutSettings } from "../settings.ts";

/** Arms of a canary: users of the candidate model, the control group of the same size, all other users. */
export type CanaryArm = "canary" | "control" | "rest";

/** Returns the experiment name of a version's canary. */
export const rolloutExperimentOf = (version: string): string => `${rolloutPrefix}${version}`;

/**
 * Returns the share of the users in the canary, `seconds` after it began: it doubles after each `doubleSeconds`, up to
 * `maxShare`.
 */
export const canaryShareAt = (
  seconds: number,
  { share, maxShare, doubleSeconds }: Pick<RolloutSettings["canary"], "share" | "maxShare" | "doubleSeconds">,
): number =>
  Math.max(share, Math.min(maxShare, share * 2 ** Math.floor(Math.max(0, seconds) / doubleSeconds)));

/** Returns a user's canary arm. The arm is stable during the canary, also while its share grows. */
export function canaryArmOf(
  application: string,
  version: string,
  userId: string,
  share: number,
): { arm: CanaryArm; variant: string } {
  const experiment = rolloutExperimentOf(version);
  const arm = armOf({ application, experiment, userId }, [
    { name: "canary", share },
    { name: "control", share },
    { name: "rest", share: 1 - 2 * share },
  ]) as CanaryArm;
  return { arm, variant: arm === "rest" ? defaultVariant : variantOf({ experiment, arm }) };
}
