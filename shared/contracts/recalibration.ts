import * as z from "zod";
import { nullIsAbsent } from "./null-is-absent.ts";
import { instant, plainId } from "./primitives.ts";

/** Body of `POST /v1/recalibrations`. */
export const recalibrationInput = nullIsAbsent(
  z.strictObject({
    /** Seed of the random numbers of the training: the same seed and data give the same model. */
    seed: z.number().int().min(0).max(1_000_000).default(1),
  }),
);
export type RecalibrationInput = z.infer<typeof recalibrationInput>;

export const recalibrationStatuses = ["queued", "running", "refused", "registered", "failed"] as const;
export const recalibrationStatus = z.enum(recalibrationStatuses);
export type RecalibrationStatus = z.infer<typeof recalibrationStatus>;

/** Status and figures of a recalibration. */
export const recalibration = z.object({
  id: plainId,
  status: recalibrationStatus,
  /** Name of the current step, or of the last one if the recalibration has ended. */
  step: z.string(),
  /** Share of the work that is done, 0 to 1. */
  progress: z.number(),
  startedAt: instant,
  updatedAt: instant,
  /** Model version that training starts from; null until it is known. */
  parent: z.string().nullable(),
  /** Model version that the recalibration produced; null until then. */
  version: z.string().nullable(),
  /** Why the gate refused the model, or why the recalibration failed. */
  reasons: z.array(z.string()),
  /** Measurements by step. */
  figures: z.record(z.string(), z.unknown()),
});
export type RecalibrationRecord = z.infer<typeof recalibration>;
