import * as z from "zod";
import { modelManifest } from "./model.ts";
import { nullIsAbsent } from "./null-is-absent.ts";
import { boundedRecord, currencyCode, instant } from "./primitives.ts";
import { intentRule, purchasedRule, shownRule } from "./recommendation.ts";
import { boost, caps, explore, grouping, maxBoosts, maxGroupings, maxPins, objective, pin } from "./rules.ts";
import { scenarioSettings } from "./scenario.ts";
import { scenarioName } from "./scenario-name.ts";
import { timestamp } from "./timestamp.ts";

/** What an experiment compares, in the order of its results. */
export const experimentMetrics = ["clickThrough", "conversion", "revenue", "diversity", "latency"] as const;
/**
 * - `clickThrough`: lists after which the user clicked, carted or bought a shown product, as a share of lists;
 * - `conversion`: users who bought something after their first list, as a share of users;
 * - `revenue`: what users bought after their first list, for each user, in units of the experiment's currency;
 * - `diversity`: pairs of products of different categories in a list, as a share of pairs;
 * - `latency`: milliseconds that the list took, by the clock of a Worker, which stands still while it computes: waits, and computing
 *   that a wait follows.
 */
export const experimentMetric = z.enum(experimentMetrics);
export type ExperimentMetric = z.infer<typeof experimentMetric>;

/** A guardrail with the loss that is acceptable. */
const guardrailWithMargin = z.strictObject({
  metric: experimentMetric,
  margin: z.number().min(0.001).max(1).meta({
    description:
      "The variant may be worse by this share of the control's value; it is `notWorse` once that is certain.",
  }),
});
/** A metric that no variant should make worse, or that each should be shown not to make worse by more than a margin. */
const guardrail = z.union([experimentMetric, guardrailWithMargin]);
export type Guardrail = z.infer<typeof guardrail>;

/** Returns the metric of a guardrail, and its margin; null for one without. */
export const guardrailOf = (stored: Guardrail): { metric: ExperimentMetric; margin: number | null } =>
  typeof stored === "string" ? { metric: stored, margin: null } : stored;

/** Metrics that an experiment can be decided by. */
export const experimentGoals = ["clickThrough", "conversion", "revenue"] as const;

/** Name of an experiment, variant or exclusion group. */
const shortName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, "must be 1-40 characters of a-z 0-9 -, not starting with -");

/** The rollouts of models make experiments whose runs begin with `rollout:`. */
export const experimentName = shortName.refine((name) => name !== "rollout", {
  message: "must not be rollout, which names the rollouts of models",
});

/** What a variant changes in the requests of its users. A field that is present replaces that of the request. */
export const variantParameters = z.strictObject({
  candidates: z.number().int().min(20).max(500).optional(),
  boost: boundedRecord(128, z.number().min(0).max(10)).optional(),
  boosts: z.array(boost).max(maxBoosts).optional(),
  pins: z.array(pin).max(maxPins).optional(),
  diversity: z.number().min(0).max(1).optional(),
  caps: caps.optional(),
  collapse: z.array(grouping).max(maxGroupings).optional(),
  purchased: purchasedRule.optional(),
  shown: shownRule.optional(),
  intent: intentRule.optional(),
  explore: explore.optional(),
  objective: objective.optional(),
});
export type VariantParameters = z.infer<typeof variantParameters>;

const variantFields = z.strictObject({
  name: shortName,
  /** Share of the experiment's users, relative to the shares of the other variants. */
  share: z.number().min(0.01).max(100).default(1),
  scenario: nullIsAbsent(
    z.strictObject({
      name: scenarioName,
      version: z.number().int().min(1).optional().meta({
        description: "The version that serves when the experiment is defined, if absent.",
      }),
    }),
  )
    .optional()
    .meta({ description: "The scenario that serves the variant's users instead of the one they ask for." }),
  model: modelManifest.shape.version.optional().meta({
    description: "Version of the model that ranks for the variant's users; the one that serves if absent.",
  }),
  parameters: nullIsAbsent(variantParameters).default({}),
});
const experimentVariant = nullIsAbsent(variantFields);

/** A scenario as it was when an experiment was defined: later changes of the scenario do not change the experiment. */
const pinnedScenario = z.strictObject({
  name: scenarioName,
  version: z.number().int().nullable().meta({ description: "Null for a ready-made scenario." }),
  settings: scenarioSettings,
});
export type PinnedScenario = z.infer<typeof pinnedScenario>;

const storedVariant = variantFields.extend({ scenario: pinnedScenario.optional() });
export type ExperimentVariant = z.infer<typeof storedVariant>;

/** Variants that an experiment has at most. */
export const maxVariants = 6;
/** Versions of models that all running and scheduled experiments of an application compare, at most. */
export const maxComparedModels = 4;

const experimentFields = z.strictObject({
  variants: z.array(experimentVariant).min(2).max(maxVariants).meta({
    description: "The first one is the control; each of the others is compared with it.",
  }),
  scenario: scenarioName.optional().meta({
    description:
      "Only requests that name this scenario take part; all requests if absent. Needed if a variant has a `scenario`.",
  }),
  goal: z.enum(experimentGoals).default("conversion"),
  guardrails: z
    .array(guardrail)
    .max(experimentMetrics.length - 1)
    .default([])
    .meta({
      description:
        "Metrics besides the goal that no variant should make worse. One with a `margin` must be shown to be worse by less than that.",
    }),
  /** Currency of `revenue`; purchases in other currencies do not count in it. */
  currency: currencyCode.optional(),
  /** A user takes part in at most one experiment of a group. */
  group: shortName.optional(),
  /** Share of the users that takes part. The experiments of a group share its users, so that their sum is at most 1. */
  traffic: z.number().min(0.001).max(1).default(1),
  startsAt: timestamp.optional().meta({ description: "Now if absent." }),
  endsAt: timestamp.optional().meta({ description: "The experiment runs until it is deleted if absent." }),
  alpha: z.number().min(0.001).max(0.2).default(0.05).meta({
    description: "Probability of a false alarm in the results, over all looks at them.",
  }),
  expectedUsers: z.number().int().min(100).max(100_000_000).default(10_000).meta({
    description: "Users for which the intervals are narrowest. They are valid for any number.",
  }),
});

/** Body of `PUT /v1/experiments/{name}`. */
export const experimentInput = nullIsAbsent(experimentFields).superRefine((input, context) => {
  const names = input.variants.map(({ name }) => name);
  names.forEach((name, i) => {
    if (names.indexOf(name) < i)
      context.addIssue({
        code: "custom",
        path: ["variants", i, "name"],
        message: `must differ from the other variants; got ${name} twice`,
      });
  });
  if (input.scenario === undefined && input.variants.some(({ scenario }) => scenario !== undefined))
    context.addIssue({
      code: "custom",
      path: ["scenario"],
      message: "must name the scenario of the requests that take part, since a variant has a `scenario`",
    });
  const metrics: string[] = [input.goal, ...input.guardrails.map((each) => guardrailOf(each).metric)];
  if (metrics.includes("revenue") !== (input.currency !== undefined))
    context.addIssue({
      code: "custom",
      path: ["currency"],
      message: metrics.includes("revenue")
        ? "must be given for the metric `revenue`, for example EUR"
        : "must be absent without the metric `revenue`",
    });
  if (new Set(metrics).size < metrics.length)
    context.addIssue({
      code: "custom",
      path: ["guardrails"],
      message: "must name each metric once, and not the goal",
    });
  if (input.startsAt !== undefined && input.endsAt !== undefined && input.endsAt <= input.startsAt)
    context.addIssue({ code: "custom", path: ["endsAt"], message: "must be after `startsAt`" });
});
export type ExperimentInput = z.infer<typeof experimentInput>;

/** An experiment, as the API returns it. */
export const experiment = experimentFields.omit({ startsAt: true, endsAt: true }).extend({
  variants: z.array(storedVariant),
  name: experimentName,
  /** Names these definitions and their counts; an experiment that is created again has another one. */
  run: z.string(),
  status: z.enum(["scheduled", "running", "ended"]),
  startsAt: instant,
  endsAt: instant.nullable(),
  createdAt: instant,
});
export type Experiment = z.infer<typeof experiment>;

const interval = z
  .object({ low: z.number(), high: z.number() })
  .nullable()
  .meta({ description: "An always-valid interval; null while there is too little data for one." });

const metricComparison = z.object({
  metric: experimentMetric,
  /** The variant's value. */
  value: z.number(),
  /** Users that the spread comes from: few if some are far more active than others, or if purchases are rare. */
  effectiveUsers: z.number(),
  /** The variant's value minus the control's; absent for the control. */
  difference: z.number().optional(),
  interval: interval.optional(),
  /** The margin of a guardrail that has one. */
  margin: z.number().optional(),
  verdict: z.enum(["better", "worse", "notWorse", "open"]).optional().meta({
    description:
      "`better` and `worse` are certain by the interval. With a margin, `worse` is certainly worse by more, and `notWorse` certainly by less than the margin.",
  }),
});
export type MetricComparison = z.infer<typeof metricComparison>;

/** Answer of `GET /v1/experiments/{name}/results`. */
export const experimentResults = z.object({
  name: experimentName,
  run: z.string(),
  status: experiment.shape.status,
  goal: experimentFields.shape.goal,
  currency: currencyCode.nullable(),
  verdict: z.enum(["fault", "too-early", "worse", "better", "open"]).meta({
    description:
      "`fault`: users got lost in a variant. `too-early`: too little data. `worse`: the goal or a guardrail of a variant is worse. `better`: a variant reaches the goal better, none is worse, and all margins are kept. `open`: not all of this is certain.",
  }),
  sentence: z.string(),
  variants: z.array(
    z.object({
      name: shortName,
      users: z.number().int(),
      lists: z.number().int(),
      metrics: z.array(metricComparison),
    }),
  ),
  sampleRatio: z.object({
    pValue: z.number().meta({ description: "Always-valid; below 0.001 it is a fault." }),
    fault: z.boolean(),
  }),
  /** Users of more than one variant, by a merge of users. They count in none. */
  crossedUsers: z.number().int(),
  computedAt: instant.meta({
    description:
      "When the counts were added up: up to a minute ago with 10,000 users, ten minutes with 100,000.",
  }),
});
export type ExperimentResults = z.infer<typeof experimentResults>;

/** The path parameter `name` of an experiment. */
export const experimentPath = z.object({ name: experimentName });
