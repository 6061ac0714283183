import {
  type Experiment,
  type ExperimentMetric,
  type ExperimentResults,
  guardrailOf,
  type MetricComparison,
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
  ...guardrails.map((each) => guardrailOf(each).metric).filter((metric) => metric !== goal),
];

/** Returns the margin of a metric, as a share of the control's value; null if it has none. */
const marginOf = (
  metric: ExperimentMetric,
  { guardrails }: Pick<ResultSettings, "guardrails">,
): number | null => guardrails.map(guardrailOf).find((each) => each.metric === metric)?.margin ?? null;

/** Returns a sample whose users have `factor` times the values. */
const scaledSample = (sample: MetricSample, factor: number): MetricSample => ({
  ...sample,
  numerator: sample.numerator * factor,
  squares: sample.squares * factor ** 2,
  fourths: sample.fourths * factor ** 4,
});

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

/**
 * Returns whether a variant is certainly worse than the control by more than the margin, or by less. The variant is
 * compared with a control that is worse by the margin, so that the margin is a share of the true value, not of the
 * measured one.
 */
function verdictByMargin(
  metric: ExperimentMetric,
  margin: number,
  variant: MetricSample,
  control: MetricSample,
  settings: IntervalSettings,
): "worse" | "notWorse" | "open" {
  const factor = metric === "latency" ? 1 + margin : 1 - margin;
  const { interval } = metricDifference(variant, scaledSample(control, factor), settings);
  const verdict = verdictOn(metric, interval);
  return verdict === "better" ? "notWorse" : verdict;
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
    const controlSample = control.metrics[metric] ?? emptySample;
    const ofMetric = intervalSettings(settings, variants, metric === settings.goal);
    const { estimate, interval } = metricDifference(sample, controlSample, ofMetric);
    const margin = marginOf(metric, settings);
    const compared = { ...own, difference: estimate, interval };
    if (margin === null) return { ...compared, verdict: verdictOn(metric, interval) };
    const verdict = verdictByMargin(metric, margin, sample, controlSample, ofMetric);
    return { ...compared, margin, verdict };
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

/**
 * Returns the variant that reaches the goal best of those that certainly reach it better: one that keeps all margins, if
 * there is one. Undefined if no variant does.
 */
function bestOf(others: Variants): Variants[number] | undefined {
  const better = others
    .filter(({ metrics }) => metrics[0].verdict === "better")
    .sort((a, b) => (b.metrics[0].difference ?? 0) - (a.metrics[0].difference ?? 0));
  const keepsMargins = (each: Variants[number]): boolean =>
    withMargins(each).every(({ verdict }) => verdict === "notWorse");
  return better.find(keepsMargins) ?? better[0];
}

/** Returns what a guardrail says of its margin. */
const marginText = ({ metric, margin = 0 }: MetricComparison): string =>
  `${metricTitles[metric]} is at most ${threeDigits(100 * margin)}% worse`;

/** Returns the guardrails of a variant that have a margin. */
const withMargins = ({ metrics }: Variants[number]): MetricComparison[] =>
  metrics.filter(({ margin }) => margin !== undefined);

/** Returns the verdict on an experiment whose best variant certainly reaches the goal better, and its sentence. */
function verdictOfBest(
  control: Variants[number],
  best: Variants[number],
): Pick<ExperimentResults, "verdict" | "sentence"> {
  const text = `${best.name} is better than ${control.name}: ${differenceText(best.metrics[0])}`;
  const margins = withMargins(best);
  const open = margins.filter(({ verdict }) => verdict !== "notWorse");
  if (open.length > 0)
    return {
      verdict: "open",
      sentence: `${text}. It is not certain yet that ${open.map(marginText).join(", or that ")}.`,
    };
  return { verdict: "better", sentence: `${[text, ...margins.map(marginText)].join("; ")}.` };
}

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
  const best = bestOf(others);
  if (best) return verdictOfBest(control, best);
  const goals = others.map(({ name, metrics }) => ({ name, goal: metrics[0] }));
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
