import type { CollectedConsent } from "../contracts/consent.ts";
import type { Precision } from "../contracts/primitives.ts";
import { coarserOf, isFiner } from "./levels.ts";

/**
 * What a user's present and earlier consent allows to store. A version of the settings stands for each level: what was
 * collected before it may be stored at most at that level.
 */
export interface ConsentLimits {
  userId: string;
  approximateBefore: number;
  cityBefore: number;
  noneBefore: number;
  /** The present consent: what was stated, else the default. */
  precision: Precision;
  /** Whether the user stated a consent. The default may have changed without a new version of the settings. */
  isStated: boolean;
}

/** Returns the precision to which data must be coarsened before it is stored; its own if that is coarse enough. */
export function requiredPrecision(limits: ConsentLimits | undefined, collected: CollectedConsent): Precision {
  if (limits === undefined) return collected.precision;
  const levels: [Precision, number][] = [
    ["approximate", limits.approximateBefore],
    ["city", limits.cityBefore],
    ["none", limits.noneBefore],
  ];
  const start = limits.isStated ? collected.precision : coarserOf(collected.precision, limits.precision);
  return levels.reduce(
    (required, [level, before]) => (collected.version < before ? coarserOf(required, level) : required),
    start,
  );
}

/** Returns the limits that a consent sets, which was lowered to `precision` with a version of the settings. */
export const limitsOfLowering = (userId: string, precision: Precision, version: number): ConsentLimits => {
  const before = (level: Precision): number => (isFiner(precision, level) ? 0 : version);
  return {
    ...{ userId, precision, isStated: true },
    approximateBefore: before("approximate"),
    cityBefore: before("city"),
    noneBefore: before("none"),
  };
};
