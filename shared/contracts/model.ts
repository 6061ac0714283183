import { z } from "zod";
import { firstStage } from "./retrieval.ts";

/** A head's metrics on held-back data, by name. */
export const metrics = z.record(z.string(), z.number());

/** Inputs and expected outputs that a serving runtime must reproduce within 1e-4. */
export const goldenVectors = z.object({
  candidates: z.number().int(),
  inputs: z.record(z.string(), z.array(z.number())),
  outputs: z.record(z.string(), z.array(z.number())),
});

/** The manifest beside an ONNX file: all that serving checks before it trusts the file. */
export const modelManifest = z.object({
  version: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/),
  /** sha256 of the ONNX file, lower-case hex. */
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
  /** How the first stage weighs what is near, learnt beside the model; without it the defaults serve. */
  firstStage: firstStage.optional(),
  parent: z.string().nullable(),
  seed: z.number().int(),
  createdAt: z.string(),
  golden: goldenVectors,
});
export type ModelManifest = z.infer<typeof modelManifest>;

/** Where a version came from, and why it was let in. */
export const modelOrigin = z.object({
  by: z.string().max(128),
  /** What the gate said; null where it was not asked. */
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
 * Where a version is: `registered` (waits), `shadow` (scored beside what serves), `canary` (serves a share of the people),
 * `serving`, `retired` (served before, or was overtaken), `refused` (by the gate), `rolled_back`.
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

/** What the outcomes of a canary say: always-valid, see `model/experiments/verdict.ts`. */
export const rolloutVerdict = z.object({
  verdict: z.enum(["good", "worse", "open"]),
  reason: z.string(),
  difference: z.object({ estimate: z.number(), low: z.number(), high: z.number() }),
  canary: armFigures,
  control: armFigures,
});
export type RolloutVerdict = z.infer<typeof rolloutVerdict>;

/** What a version has been through on its way into service. */
export const rolloutRecord = z.object({
  shadow: z.object({
    since: z.string(),
    requests: z.number().int(),
    failures: z.number().int(),
    /** Mean share of what was shown that it would have shown too; null before the first. */
    overlap: z.number().nullable(),
    /** Mean absolute difference of its scores; null before the first. */
    distance: z.number().nullable(),
  }),
  canary: z.object({ since: z.string(), outcomes: rolloutVerdict.nullable() }).nullable(),
});
export type RolloutRecord = z.infer<typeof rolloutRecord>;

/** A step of a version's way. */
export const modelChange = z.object({
  status: modelStatus,
  /** `hand`, or what did it. */
  by: z.string(),
  reason: z.string(),
  at: z.string(),
});
export type ModelChange = z.infer<typeof modelChange>;

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
  /** Who or what promoted it last; null for never. */
  promotedBy: z.string().nullable(),
});
export type ModelRecord = z.infer<typeof modelRecord>;

/** How what a version saw, said and brought about was distributed on a day (UTC), against its first day. */
export const driftDay = z.object({
  day: z.string(),
  examples: z.number().int(),
  /** Population stability index by feature: below .1 little has changed, above .25 much. */
  stability: z.record(z.string(), z.number()),
  /** Scores of what was shown. */
  score: z.object({
    mean: z.number(),
    p10: z.number(),
    p50: z.number(),
    p90: z.number(),
    stability: z.number(),
  }),
  /** Mean value that was said and that came (an engagement 1, a purchase 2 more), and their mean distance in ten parts. */
  calibration: z.object({ said: z.number(), came: z.number(), error: z.number() }),
  /** Share of what was shown at a position that was clicked, put in the cart or bought. */
  positions: z.array(z.object({ position: z.number().int(), shown: z.number(), rate: z.number() })),
});
export type DriftDay = z.infer<typeof driftDay>;

/** A version with all that is known of it. */
export const modelDetails = modelRecord.extend({
  manifest: modelManifest,
  rollout: rolloutRecord.nullable(),
  /** Oldest first. */
  changes: z.array(modelChange),
  /** Newest first, at most 30. */
  drift: z.array(driftDay),
});
export type ModelDetails = z.infer<typeof modelDetails>;
