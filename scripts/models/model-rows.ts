import type { ModelDetails } from "../../shared/contracts/model.ts";

const percentText = (value: number | null | undefined): string =>
  value === null || value === undefined ? "-" : `${(100 * value).toFixed(1)}%`;
const timeText = (at: string | null): string => (at === null ? "-" : at.slice(0, 16).replace("T", " "));
const numberText = (value: number | undefined, digits: number): string =>
  value === undefined ? "-" : value.toFixed(digits);
const signedText = (value: number | undefined): string =>
  value === undefined ? "-" : `${value < 0 ? "" : "+"}${value.toFixed(4)}`;

/** Returns the gate's verdict as text. */
const gateText = ({ origin: { gate } }: ModelDetails): string => {
  if (gate === null) return "not run";
  const failed = gate.checks.filter(({ passed }) => !passed).length;
  if (gate.forced) return failed === 0 ? "passed" : `forced, ${failed} of ${gate.checks.length} failed`;
  return gate.passed ? "passed" : `${failed} of ${gate.checks.length} failed`;
};

/** Returns the success rates of canary and control as text. */
const canaryText = ({ rollout }: ModelDetails): string => {
  const outcomes = rollout?.canary?.outcomes;
  if (!outcomes || outcomes.canary.exposures === 0) return "-";
  return `${percentText(outcomes.canary.rate)} / ${percentText(outcomes.control.rate)}`;
};

/** Columns of the list of versions: the column's name, and a function that returns the cell's text. */
export const listColumns: Record<string, (model: ModelDetails) => string> = {
  version: ({ version }) => version,
  status: ({ status }) => status,
  created: ({ createdAt }) => timeText(createdAt),
  parent: ({ parent }) => parent ?? "-",
  origin: ({ origin }) => origin.by,
  gate: gateText,
  "NDCG@10": ({ metrics }) => numberText(metrics.ndcg10 ?? metrics.ndcg, 4),
  gain: ({ metrics }) => signedText(metrics.gain),
  shadow: ({ rollout }) => (rollout ? String(rollout.shadow.requests) : "-"),
  "canary / control": canaryText,
  promoted: ({ promotedAt, promotedBy }) =>
    promotedAt === null ? "-" : `${timeText(promotedAt)} by ${promotedBy ?? "?"}`,
};

/** Further rows of a comparison: the row's name, and a function that returns the cell's text. */
export const comparisonDetails: Record<string, (model: ModelDetails) => string> = {
  sha256: ({ sha256 }) => sha256.slice(0, 16),
  "size (bytes)": ({ manifest }) => manifest.bytes.toLocaleString("en"),
  parameters: ({ manifest }) => manifest.parameters.toLocaleString("en"),
  "training data": ({ dataWindow }) => dataWindow.name,
  "training data from": ({ dataWindow }) => timeText(dataWindow.from),
  "training data to": ({ dataWindow }) => timeText(dataWindow.to),
  "training events": ({ dataWindow }) => dataWindow.events.toLocaleString("en"),
  "shadow overlap": ({ rollout }) => percentText(rollout?.shadow.overlap),
  "shadow failures": ({ rollout }) => (rollout ? String(rollout.shadow.failures) : "-"),
  "canary exposures": ({ rollout }) => String(rollout?.canary?.outcomes?.canary.exposures ?? "-"),
  "control exposures": ({ rollout }) => String(rollout?.canary?.outcomes?.control.exposures ?? "-"),
  "canary difference": ({ rollout }) => {
    const difference = rollout?.canary?.outcomes?.difference;
    return difference
      ? `${percentText(difference.estimate)} (${percentText(difference.low)} to ${percentText(difference.high)})`
      : "-";
  },
};

/** Returns the list of versions as table rows: a header, then one row per version in the given order. */
export const modelListRows = (models: readonly ModelDetails[]): string[][] => [
  Object.keys(listColumns),
  ...models.map((model) => Object.values(listColumns).map((cellText) => cellText(model))),
];

/** Returns a comparison as table rows: one column per version, one row per property, then one row per metric. */
export function modelComparisonRows(models: readonly ModelDetails[]): string[][] {
  const metrics = [...new Set(models.flatMap((model) => Object.keys(model.metrics)))].sort();
  const { version: _version, ...rest } = listColumns;
  return [
    ["", ...models.map(({ version }) => version)],
    ...Object.entries({ ...rest, ...comparisonDetails }).map(([name, cellText]) => [
      name,
      ...models.map((model) => cellText(model)),
    ]),
    ...metrics.map((name) => [
      `metric ${name}`,
      ...models.map((model) => numberText(model.metrics[name], 4)),
    ]),
  ];
}

/** Returns a version's status changes and the gate's reasons, one line each. */
export const modelHistoryLines = ({ version, changes, origin }: ModelDetails): string[] => [
  `${version}:`,
  ...changes.map(
    ({ at, status, by, reason }) => `  ${timeText(at)}  ${status.padEnd(11)} by ${by}: ${reason}`,
  ),
  ...(origin.gate?.reasons ?? []).map((reason) => `  gate: ${reason}`),
];

/** Population stability index above which a feature's distribution counts as changed. */
const driftThreshold = 0.1;
/** Positions whose success rate is shown. */
const maxPositions = 10;

/** Returns a number with two digits and without the leading zero: `.31`. */
const shortText = (value: number): string => value.toFixed(2).replace(/^0\./, ".");

/**
 * Returns a version's drift as table rows, one per day: the feature with the most drift, scores, calibration, rate by
 * position.
 */
export const driftRows = ({ drift }: ModelDetails): string[][] => [
  [
    ...[
      "day",
      "examples",
      "most drift (PSI)",
      `features above ${shortText(driftThreshold)}`,
      "scores (PSI)",
      "mean score",
    ],
    ...["predicted / observed value", "calibration error", "success rate at position 1, 2, ..."],
  ],
  ...drift.map(({ day, examples, stability, score, calibration, positions }) => {
    const features = Object.entries(stability).sort(([, a], [, b]) => b - a);
    const [maxDrift] = features;
    return [
      day,
      String(examples),
      maxDrift ? `${maxDrift[0]} ${shortText(maxDrift[1])}` : "-",
      `${features.filter(([, index]) => index > driftThreshold).length} of ${features.length}`,
      shortText(score.stability),
      score.mean.toFixed(3),
      `${calibration.said.toFixed(3)} / ${calibration.came.toFixed(3)}`,
      calibration.error.toFixed(3),
      positions
        .slice(0, maxPositions)
        .map(({ rate }) => `${Math.round(100 * rate)}%`)
        .join(" "),
    ];
  }),
];
