import type {
  Experiment,
  ExperimentMetric,
  ExperimentResults,
  MetricComparison,
} from "../../shared/contracts/experiment.ts";
import { type IntervalSettings, metricDifference } from "./always-valid.ts";
import { sampleRatioAlpha, sampleRatioPValue } from "./sample-ratio.ts";
import { effectiveUsers, type MetricSample, valueOfMetric } from "./user-metric.ts";

/** What is known of one variant of an experiment. */
export interface VariantSample {
  name: string;
  /** Share of the users, relative to the other variants. */
  share: number;
  users: number;
  lists: number;
  metrics: Partial<Record<ExperimentMetric, MetricSample>>;
}

/** What results need of an experiment's definition. */
export type ResultSettings = Pick<Experiment, "goal" | "guardrails" | "alpha" | "expectedUsers">;

const emptySample: MetricSample = { users: 0, numerator: 0, denominator: 0, squares: 0, fourths: 0 };

/** Names of metrics in sentences. */
export const metricTitles: Record<ExperimentMetric, string> = {
  clickThrough: "click-through",
  conversion: "conversion",
  revenue: "revenue for a user",
  diversity: "diversity",
  latency: "latency",
};

/** Returns the metrics of an experiment, the goal first. */
export const metricsOf = ({
  goal,
  guardrails,
}: Pick<ResultSettings, "goal" | "guardrails">): ExperimentMetric[] => [
  goal,
  ...guardrails.filter((metric) => metric !== goal),
];

/**
 * Returns the settings of one interval. All intervals of an experiment together are wrong with probability `alpha` at
 * most: the goal has half of it, and the guardrails the other half, each in equal parts (Bonferroni).
 */
function intervalSettings(
  { alpha, expectedUsers, guardrails }: ResultSettings,
  variants: number,
  isGoal: boolean,
): IntervalSettings {
  const part = guardrails.length === 0 ? 1 : 0.5 / (isGoal ? 1 : guardrails.length);
  // Two of the variants' users take part in a comparison.
  return { alpha: (alpha * part) / (variants - 1), expectedUsers: (2 * expectedUsers) / variants };
}

/** Returns whether the interval of a difference lies on one side of 0. */
function verdictOn(
  metric: ExperimentMetric,
  interval: MetricComparison["interval"],
): "better" | "worse" | "open" {
  if (!interval || (interval.low <= 0 && interval.high >= 0)) return "open";
  return interval.low > 0 === (metric !== "latency") ? "better" : "worse";
}

function comparisonsOf(
  variant: VariantSample,
  control: VariantSample,
  settings: ResultSettings,
  variants: number,
) {
  return metricsOf(settings).map((metric): MetricComparison => {
    const sample = variant.metrics[metric] ?? emptySample;
    const own = { metric, value: valueOfMetric(sample), effectiveUsers: effectiveUsers(sample) };
    if (variant === control) return own;
    const { estimate, interval } = metricDifference(
      sample,
      control.metrics[metric] ?? emptySample,
      intervalSettings(settings, variants, metric === settings.goal),
    );
    return { ...own, difference: estimate, interval, verdict: verdictOn(metric, interval) };
  });
}

/** Returns a number with three significant digits. */
const threeDigits = (value: number): string => String(Number(value.toPrecision(3)));

/** Returns a difference as a text: as a share of the control's value, or as a number if that is 0. */
function differenceText({ metric, value, difference = 0, interval }: MetricComparison): string {
  const base = Math.abs(value - difference);
  const text = (x: number): string =>
    `${x < 0 ? "−" : "+"}${base > 0 ? `${threeDigits((100 * Math.abs(x)) / base)}%` : threeDigits(Math.abs(x))}`;
  const bounds = interval ? ` (${text(interval.low)} to ${text(interval.high)})` : "";
  return `${metricTitles[metric]} ${text(difference)}${bounds}`;
}

type Variants = ExperimentResults["variants"];

/** Returns the verdict on an experiment and its sentence. */
function verdictOfVariants(
  variants: Variants,
  settings: ResultSettings,
  { fault, pValue }: ExperimentResults["sampleRatio"],
): Pick<ExperimentResults, "verdict" | "sentence"> {
  if (fault)
    return {
      verdict: "fault",
      sentence: `Do not trust the results: the users are ${variants.map(({ name, users }) => `${users} in ${name}`).join(", ")}, which the planned shares do not explain (p = ${pValue.toExponential(1)}).`,
    };
  const [control, ...others] = variants;
  const worse = others.flatMap(({ name, metrics }) =>
    metrics.filter(({ verdict }) => verdict === "worse").map((each) => `${name}: ${differenceText(each)}`),
  );
  if (worse.length > 0)
    return {
      verdict: "worse",
      sentence: `${worse.length === 1 ? "A metric is" : "Metrics are"} worse than in ${control.name}: ${worse.join("; ")}.`,
    };
  const goals = others.map(({ name, metrics }) => ({ name, goal: metrics[0] }));
  const best = goals
    .filter(({ goal }) => goal.verdict === "better")
    .sort((a, b) => (b.goal.difference ?? 0) - (a.goal.difference ?? 0))[0];
  if (best)
    return {
      verdict: "better",
      sentence: `${best.name} is better than ${control.name}: ${differenceText(best.goal)}.`,
    };
  if (goals.every(({ goal }) => goal.interval === null))
    return {
      verdict: "too-early",
      sentence: `It is too early to say: ${metricTitles[settings.goal]} has too few users whose behavior differs.`,
    };
  return {
    verdict: "open",
    sentence: `No difference is certain yet: ${goals.map(({ name, goal }) => `${name}: ${differenceText(goal)}`).join("; ")}.`,
  };
}

/** Returns the results of an experiment from what is known of its variants; the first one is the control. */
export function resultsOf(
  samples: readonly VariantSample[],
  settings: ResultSettings,
): Pick<ExperimentResults, "verdict" | "sentence" | "variants" | "sampleRatio"> {
  const pValue = sampleRatioPValue(
    samples.map(({ users }) => users),
    samples.map(({ share }) => share),
  );
  const sampleRatio = { pValue, fault: pValue < sampleRatioAlpha };
  const variants = samples.map((variant) => ({
    name: variant.name,
    users: variant.users,
    lists: variant.lists,
    metrics: comparisonsOf(variant, samples[0], settings, samples.length),
  }));
  return { ...verdictOfVariants(variants, settings, sampleRatio), variants, sampleRatio };
}
