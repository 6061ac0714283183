import { z } from "zod";
import { identifier, instant } from "./primitives.ts";

/** `POST /v1/recalibrations`. */
export const recalibrationInput = z.strictObject({
  /** What the first and last weights depend on beside the data. */
  seed: z.number().int().min(0).max(1_000_000).default(1),
});
export type RecalibrationInput = z.infer<typeof recalibrationInput>;

export const recalibrationStatus = z.enum(["queued", "running", "refused", "registered", "failed"]);
export type RecalibrationStatus = z.infer<typeof recalibrationStatus>;

/** Where a recalibration is, and what it found. */
export const recalibration = z.object({
  id: identifier,
  status: recalibrationStatus,
  /** What it does now, or did last. */
  step: z.string(),
  /** 0 to 1. */
  progress: z.number(),
  startedAt: instant,
  updatedAt: instant,
  /** The version it goes on from, and the one that it made. */
  parent: z.string().nullable(),
  version: z.string().nullable(),
  /** Why it was refused or failed. */
  reasons: z.array(z.string()),
  /** What was measured, by step. */
  figures: z.record(z.string(), z.unknown()),
});
export type RecalibrationRecord = z.infer<typeof recalibration>;
