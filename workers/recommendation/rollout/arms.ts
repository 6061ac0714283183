import { armOf } from "../../../model/experiments/allocation.ts";
import { defaultVariant, variantOf } from "../../../shared/experiments/variant.ts";

/** Arms of a canary: who is served by the newcomer, with whom they are compared, and everybody else. */
export type CanaryArm = "canary" | "control" | "rest";

/** Name of the experiment that a version's canary is. */
export const experimentOf = (version: string): string => `rollout:${version}`;

/** The arm of a person: they stay in it while the canary lasts, and while its share grows. */
export function canaryArmOf(
  application: string,
  version: string,
  userId: string,
  share: number,
): { arm: CanaryArm; variant: string } {
  const experiment = experimentOf(version);
  const arm = armOf({ application, experiment, userId: userId }, [
    { name: "canary", share },
    { name: "control", share },
    { name: "rest", share: 1 - 2 * share },
  ]) as CanaryArm;
  return { arm, variant: arm === "rest" ? defaultVariant : variantOf({ experiment, arm }) };
}
