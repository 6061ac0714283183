import { sigmoid } from "../sigmoid.ts";
import type { PlattScaling } from "./calibration.ts";

/** Returns the probability of a logit, scaled if it is not calibrated. */
export const calibratedProbability = (
  logit: number,
  { slope, offset }: PlattScaling = { slope: 1, offset: 0 },
): number => sigmoid(slope * logit + offset);
