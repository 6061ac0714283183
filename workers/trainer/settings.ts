import * as z from "zod";
import { gateConfiguration } from "../../model/recalibrate/gate.ts";

/** Settings of recalibrations: JSON in the worker's variable `RECALIBRATION`. */
export const recalibrationSettings = z.strictObject({
  /** Days of the training log to train on. */
  days: z.number().int().min(1).max(90).default(30),
  /** Largest number of examples, the newest first. */
  maxExamples: z.number().int().default(200_000),
  /**
   * Shares (0 to 1) of the examples, the newest, for the calibration and evaluation windows; training uses the rest.
   * Each window holds at most the given number of lists.
   */
  calibrationShare: z.number().default(0.1),
  evaluationShare: z.number().default(0.15),
  maxCalibrationLists: z.number().int().default(3000),
  maxEvaluationLists: z.number().int().default(4000),
  /**
   * Weights (0 to 1) of logged candidates that were not shown, relative to shown ones, from which a recalibration chooses by
   * the lists whose order was drawn. The first is taken where there are fewer such lists than `minDrawnLists`.
   */
  unshownWeights: z.array(z.number().min(0).max(1)).min(1).max(5).default([0.1, 0, 1]),
  minDrawnLists: z.number().int().min(1).default(200),
  /** Lists that the serving model has not learned from, below which training uses the whole log. */
  minUnseenLists: z.number().int().min(1).default(100),
  /** Training epochs. A small log gets up to `maxEpochs`, until the optimizer has made `minSteps` steps. */
  epochs: z.number().int().min(1).max(20).default(3),
  minSteps: z.number().int().min(0).default(250),
  maxEpochs: z.number().int().min(1).max(50).default(20),
  /** Lists per optimizer step. */
  batch: z.number().int().default(16),
  /** Peak learning rate. */
  rate: z.number().default(1e-3),
  /** Weight decay. */
  decay: z.number().default(1e-2),
  /** Largest number of rows per training step: some seconds of CPU time. */
  rowsPerStep: z.number().int().default(60_000),
  /** Largest number of compressed bytes, and of log objects, that one step reads. */
  bytesPerChunk: z.number().int().default(3_000_000),
  objectsPerChunk: z.number().int().default(800),
  /** Largest size of a snapshot part in bytes. A step needs a few times as much memory. */
  bytesPerPart: z.number().int().default(4_000_000),
  gate: gateConfiguration.prefault({}),
});
export type RecalibrationSettings = z.infer<typeof recalibrationSettings>;

/**
 * Returns the settings in the variable `RECALIBRATION`; the defaults without it. Throws if the variable is not valid;
 * an unknown setting is refused by name.
 */
export function recalibrationSettingsOf(variables: object): RecalibrationSettings {
  const text: unknown = Reflect.get(variables, "RECALIBRATION");
  return recalibrationSettings.parse(typeof text === "string" && text !== "" ? JSON.parse(text) : {});
}
