import * as z from "zod";
import { firstStage } from "./retrieval.ts";

/** Metrics of a model on held-out data, by name. */
export const metrics = z.record(z.string(), z.number());

/** Inputs of a model with the expected outputs, which a serving runtime must reproduce within 1e-4. */
export const goldenVectors = z.object({
  candidates: z.number().int(),
  inputs: z.record(z.string(), z.array(z.number())),
  outputs: z.record(z.string(), z.array(z.number())),
});

/** Scaling of a logit z (Platt, 1999): the calibrated logit is slope × z + offset. */
const scaling = z.object({ slope: z.number().positive(), offset: z.number() });

/** The scalings by which the logits of a model become probabilities of what users do with a product that is shown. */
export const modelCalibration = z.object({ click: scaling, purchase: scaling });
export type ModelCalibration = z.infer<typeof modelCalibration>;

/** The manifest of an ONNX file. Serving checks the file against the manifest before it uses the model. */
export const modelManifest = z.object({
  version: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/),
  /** SHA-256 of the ONNX file, lowercase hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Hash of the feature specification that the file was trained for. */
  featureHash: z.string(),
  opset: z.number().int(),
  bytes: z.number().int(),
  parameters: z.number().int(),
  inputs: z.array(
    z.object({ name: z.string(), type: z.string(), shape: z.array(z.union([z.string(), z.number()])) }),
  ),
  outputs: z.array(
    z.object({ name: z.string(), type: z.string(), shape: z.array(z.union([z.string(), z.number()])) }),
  ),
  metrics,
  dataWindow: z.object({
    name: z.string(),
    from: z.string().nullable(),
    to: z.string().nullable(),
    events: z.number().int(),
  }),
  /** Weights of the first stage, learned together with the model; the default weights apply if absent. */
  firstStage: firstStage.optional(),
  /** Absent if the logits are calibrated: those of recalibrated models are. */
  calibration: modelCalibration.optional(),
  parent: z.string().nullable(),
  seed: z.number().int(),
  createdAt: z.string(),
  golden: goldenVectors,
});
export type ModelManifest = z.infer<typeof modelManifest>;

/** Who or what registered a version, and the result of its gate. */
export const modelOrigin = z.object({
  by: z.string().max(128),
  /** Result of the gate; null if the version was registered without one. */
  gate: z
    .object({
      passed: z.boolean(),
      forced: z.boolean(),
      reasons: z.array(z.string()),
      checks: z.array(z.object({ name: z.string(), passed: z.boolean(), detail: z.string() })),
    })
    .nullable(),
});
export type ModelOrigin = z.infer<typeof modelOrigin>;

/**
 * The states of a model version:
 * - `registered`: waits for its rollout
 * - `shadow`: scores the candidates of real requests; its scores are compared, not used
 * - `canary`: serves a share of the users
 * - `serving`: serves all users
 * - `retired`: served before, or a newer version replaced it before it served
 * - `refused`: did not pass the gate
 * - `rolled_back`: failed as shadow or canary, or was rolled back by hand; never serves again by itself
 */
export const modelStatuses = [
  "registered",
  "shadow",
  "canary",
  "serving",
  "retired",
  "refused",
  "rolled_back",
] as const;
export const modelStatus = z.enum(modelStatuses);
export type ModelStatus = z.infer<typeof modelStatus>;

const armFigures = z.object({
  people: z.number(),
  exposures: z.number(),
  successes: z.number(),
  rate: z.number(),
});

/**
 * Verdict on a canary from the outcomes of both arms. The confidence interval is always valid: it holds however often
 * the verdict is computed (see `model/experiments/verdict.ts`).
 */
export const rolloutVerdict = z.object({
  verdict: z.enum(["good", "worse", "open"]),
  reason: z.string(),
  difference: z.object({ estimate: z.number(), low: z.number(), high: z.number() }),
  canary: armFigures,
  control: armFigures,
});
export type RolloutVerdict = z.infer<typeof rolloutVerdict>;

/** Progress and figures of a version's rollout. */
export const rolloutRecord = z.object({
  shadow: z.object({
    since: z.string(),
    requests: z.number().int(),
    failures: z.number().int(),
    /** Mean share of the shown products that the shadow model would also have shown; null before the first request. */
    overlap: z.number().nullable(),
    /** Mean absolute difference between the scores of both models; null before the first request. */
    distance: z.number().nullable(),
  }),
  canary: z.object({ since: z.string(), outcomes: rolloutVerdict.nullable() }).nullable(),
});
export type RolloutRecord = z.infer<typeof rolloutRecord>;

/** One change of a version's status. */
export const modelChange = z.object({
  status: modelStatus,
  /** Who or what changed the status; `hand` for a call of the API. */
  by: z.string(),
  reason: z.string(),
  at: z.string(),
});
export type ModelChange = z.infer<typeof modelChange>;

/** A model version in a list. */
export const modelRecord = z.object({
  version: z.string(),
  sha256: z.string(),
  status: modelStatus,
  parent: z.string().nullable(),
  metrics,
  createdAt: z.string(),
  promotedAt: z.string().nullable(),
  dataWindow: modelManifest.shape.dataWindow,
  origin: modelOrigin,
  /** Who or what last promoted the version; null if it was never promoted. */
  promotedBy: z.string().nullable(),
});
export type ModelRecord = z.infer<typeof modelRecord>;

/** Drift of a version on one UTC day: its features, scores and outcomes, compared with its first day. */
export const driftDay = z.object({
  day: z.string(),
  examples: z.number().int(),
  /** Population stability index by feature: below 0.1 is a small change, above 0.25 a large one. */
  stability: z.record(z.string(), z.number()),
  /** Distribution of the scores of shown products. */
  score: z.object({
    mean: z.number(),
    p10: z.number(),
    p50: z.number(),
    p90: z.number(),
    stability: z.number(),
  }),
  /**
   * Calibration of the scores: `said` is the mean predicted value, `came` the mean observed value (1 for an engagement,
   * 2 more for a purchase), `error` their mean distance over ten bins.
   */
  calibration: z.object({ said: z.number(), came: z.number(), error: z.number() }),
  /** By position: how many products were shown, and the share that was clicked, put in the cart or bought. */
  positions: z.array(z.object({ position: z.number().int(), shown: z.number(), rate: z.number() })),
});
export type DriftDay = z.infer<typeof driftDay>;

/** A model version with its manifest, rollout, status changes and drift. */
export const modelDetails = modelRecord.extend({
  manifest: modelManifest,
  rollout: rolloutRecord.nullable(),
  /** Oldest first. */
  changes: z.array(modelChange),
  /** Newest first, at most 30. */
  drift: z.array(driftDay),
});
export type ModelDetails = z.infer<typeof modelDetails>;
