import * as z from "zod";
import { modelManifest } from "./model.ts";
import { nullIsAbsent } from "./null-is-absent.ts";
import { boundedRecord, instant, plainId } from "./primitives.ts";
import { scenarioName } from "./scenario-name.ts";

/** Days of the training log that an evaluation reads, at most: no log is kept longer by default. */
const maxEvaluationDays = 60;

/** Body of `POST /v1/evaluations`: what the policy in question does differently. It names at least one difference. */
export const evaluationInput = nullIsAbsent(
  z.strictObject({
    /** A scenario, whose `boost`, `diversity`, `caps.perCategory` and `limit` hold where the body has none. */
    scenario: scenarioName.optional(),
    /** Version of the model that orders the list, in place of the one that served. */
    model: modelManifest.shape.version.optional(),
    /** Factors by category, 0 to 10, that multiply the scores, in addition to those of the requests. */
    boost: boundedRecord(128, z.number().min(0).max(10)).optional(),
    /** Weight of dissimilarity against score, 0 to 1; see `POST /v1/recommendations`. */
    diversity: z.number().min(0).max(1).optional(),
    caps: nullIsAbsent(
      z.strictObject({ perCategory: z.number().int().min(1).max(100).optional() }),
    ).optional(),
    /** Products of a list, in place of the number that each request had. */
    limit: z.number().int().min(1).max(100).optional(),
    /** Days of the training log to read, the newest first. */
    days: z.number().int().min(1).max(maxEvaluationDays).default(14),
  }),
);
export type EvaluationInput = z.infer<typeof evaluationInput>;

/**
 * - `queued`, `running`
 * - `estimated`: `result` has the estimates
 * - `refused`: the log does not tell what the policy would earn; `reasons` say why
 * - `failed`: `reasons` say why
 */
export const evaluationStatuses = ["queued", "running", "estimated", "refused", "failed"] as const;

/** An estimate with its 95% confidence interval. */
const estimate = z.object({ estimate: z.number(), low: z.number(), high: z.number() });

/** Outcomes of a list: of the order of the log without exploration, of the policy in question, and the difference. */
const comparedValues = z.object({ current: estimate, target: estimate, difference: estimate });

const estimatesOfMetric = z.object({
  /** By self-normalized importance sampling. */
  snips: comparedValues,
  doublyRobust: comparedValues,
});

/** What an evaluation found. */
export const evaluationResult = z.object({
  /** Outcomes of a list, by metric. */
  clicks: estimatesOfMetric,
  /** Null if the log has too few purchases for an interval. */
  purchases: estimatesOfMetric.nullable(),
  /** One sentence about the clicks, by the doubly robust estimate. */
  verdict: z.string(),
  /** Logged lists that were evaluated. */
  lists: z.number().int(),
  /** Number of lists shown by the policy itself that would tell as much as the log does. */
  effectiveLists: z.number(),
  /**
   * Estimated share (0 to 1) of the policy's positions that products take which the log never shows. The estimates are about the
   * policy without them.
   */
  outside: z.number(),
  /** Probability that users look at each of the first ten positions, relative to the first. */
  examined: z.array(z.number()),
  /** Logged lists that could not be evaluated, by reason. */
  leftOut: z.record(z.string(), z.number().int()),
});
export type EvaluationResult = z.infer<typeof evaluationResult>;

/** Status and result of an evaluation. */
export const evaluation = z.object({
  id: plainId,
  status: z.enum(evaluationStatuses),
  /** Name of the current step, or of the last one if the evaluation has ended. */
  step: z.string(),
  /** Share of the work that is done, 0 to 1. */
  progress: z.number(),
  startedAt: instant,
  updatedAt: instant,
  /** The body of the request, with the fields of its scenario. */
  input: evaluationInput,
  /** Present if the status is `estimated`. */
  result: evaluationResult.nullable(),
  /** Why the log does not tell, or why the evaluation failed. */
  reasons: z.array(z.string()),
});
export type Evaluation = z.infer<typeof evaluation>;
