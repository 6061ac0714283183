import { z } from "zod";
import { gateConfiguration } from "../../model/recalibrate/gate.ts";

/** How recalibrations are made. */
export const settings = z.object({
  /** Days of the log that are learnt from. */
  days: z.number().int().min(1).max(90).default(30),
  /** Examples that are learnt from at most, the newest first. */
  maxExamples: z.number().int().default(200_000),
  /**
   * Shares of the examples, the newest, by which probabilities are calibrated, and by which the candidate is judged; but no
   * more than so many: what is not looked at is learnt from.
   */
  calibrationShare: z.number().default(0.1),
  evaluationShare: z.number().default(0.15),
  maxCalibrationLists: z.number().int().default(3000),
  maxEvaluationLists: z.number().int().default(4000),
  /** Times that all lists are gone through; a small log more often, until the optimizer has made `leastSteps`. */
  epochs: z.number().int().min(1).max(20).default(3),
  minSteps: z.number().int().min(0).default(250),
  maxEpochs: z.number().int().min(1).max(50).default(20),
  batch: z.number().int().default(16),
  rate: z.number().default(1e-3),
  decay: z.number().default(1e-2),
  /** Rows of lists that one step of training works through at most: some seconds of a core. */
  rowsPerStep: z.number().int().default(60_000),
  /** Compressed bytes and objects of the log that one step reads at most. */
  bytesPerChunk: z.number().int().default(3_000_000),
  objectsPerChunk: z.number().int().default(200),
  /** Bytes of a part of the snapshot at most: what a step holds is a few times as much. */
  bytesPerPart: z.number().int().default(4_000_000),
  /** Seconds without a sign of life, which is longer than any step takes, after which a running instance is woken. */
  stalledSeconds: z.number().default(30),
  gate: gateConfiguration.prefault({}),
});
export type Settings = z.infer<typeof settings>;

/** The settings in the worker's variable `RECALIBRATION`, as JSON; without it the defaults. Throws where it is not as documented. */
export function settingsOf(variables: object): Settings {
  const text: unknown = Reflect.get(variables, "RECALIBRATION");
  return settings.parse(typeof text === "string" && text !== "" ? JSON.parse(text) : {});
}
