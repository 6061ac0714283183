import type { ModelDetails } from "../../shared/contracts/model.ts";

const percent = (value: number | null | undefined): string =>
  value === null || value === undefined ? "-" : `${(100 * value).toFixed(1)}%`;
const instant = (at: string | null): string => (at === null ? "-" : at.slice(0, 16).replace("T", " "));
const number = (value: number | undefined, digits: number): string =>
  value === undefined ? "-" : value.toFixed(digits);
const signed = (value: number | undefined): string =>
  value === undefined ? "-" : `${value < 0 ? "" : "+"}${value.toFixed(4)}`;

/** What the gate said, in a word or two. */
const gateText = ({ origin: { gate } }: ModelDetails): string => {
  if (gate === null) return "not asked";
  const failed = gate.checks.filter(({ passed }) => !passed).length;
  if (gate.forced) return failed === 0 ? "passed" : `forced, ${failed} of ${gate.checks.length} failed`;
  return gate.passed ? "passed" : `${failed} of ${gate.checks.length} failed`;
};

/** Success rates of canary and control. */
const canaryText = ({ rollout }: ModelDetails): string => {
  const outcomes = rollout?.canary?.outcomes;
  if (!outcomes || outcomes.canary.exposures === 0) return "-";
  return `${percent(outcomes.canary.rate)} / ${percent(outcomes.control.rate)}`;
};

/** The figures of a version that a list shows: a name each, and how it reads. */
export const listColumns: Record<string, (model: ModelDetails) => string> = {
  version: ({ version }) => version,
  status: ({ status }) => status,
  created: ({ createdAt }) => instant(createdAt),
  parent: ({ parent }) => parent ?? "-",
  from: ({ origin }) => origin.by,
  gate: gateText,
  "NDCG@10": ({ metrics }) => number(metrics.ndcg10 ?? metrics.ndcg, 4),
  gain: ({ metrics }) => signed(metrics.gain),
  shadow: ({ rollout }) => (rollout ? String(rollout.shadow.requests) : "-"),
  "canary / control": canaryText,
  promoted: ({ promotedAt, promotedBy }) =>
    promotedAt === null ? "-" : `${instant(promotedAt)} by ${promotedBy ?? "?"}`,
};

/** More of a version, for a comparison. */
export const comparisonDetails: Record<string, (model: ModelDetails) => string> = {
  sha256: ({ sha256 }) => sha256.slice(0, 16),
  "size (bytes)": ({ manifest }) => manifest.bytes.toLocaleString("en"),
  parameters: ({ manifest }) => manifest.parameters.toLocaleString("en"),
  "learnt from": ({ dataWindow }) => dataWindow.name,
  "... from": ({ dataWindow }) => instant(dataWindow.from),
  "... to": ({ dataWindow }) => instant(dataWindow.to),
  "... events": ({ dataWindow }) => dataWindow.events.toLocaleString("en"),
  "same in its list": ({ rollout }) => percent(rollout?.shadow.overlap),
  "shadow failures": ({ rollout }) => (rollout ? String(rollout.shadow.failures) : "-"),
  "canary exposures": ({ rollout }) => String(rollout?.canary?.outcomes?.canary.exposures ?? "-"),
  "control exposures": ({ rollout }) => String(rollout?.canary?.outcomes?.control.exposures ?? "-"),
  "difference online": ({ rollout }) => {
    const difference = rollout?.canary?.outcomes?.difference;
    return difference
      ? `${percent(difference.estimate)} (${percent(difference.low)} to ${percent(difference.high)})`
      : "-";
  },
};

/** One line for each version, newest first. */
export const modelListRows = (models: readonly ModelDetails[]): string[][] => [
  Object.keys(listColumns),
  ...models.map((model) => Object.values(listColumns).map((of) => of(model))),
];

/** One line for each figure, one column for each version; then metrics that any of them has. */
export function modelComparisonRows(models: readonly ModelDetails[]): string[][] {
  const metrics = [...new Set(models.flatMap((model) => Object.keys(model.metrics)))].sort();
  const { version: _version, ...rest } = listColumns;
  return [
    ["", ...models.map(({ version }) => version)],
    ...Object.entries({ ...rest, ...comparisonDetails }).map(([name, of]) => [
      name,
      ...models.map((model) => of(model)),
    ]),
    ...metrics.map((name) => [`metric ${name}`, ...models.map((model) => number(model.metrics[name], 4))]),
  ];
}

/** What a version went through, a line each. */
export const modelHistoryLines = ({ version, changes, origin }: ModelDetails): string[] => [
  `${version}:`,
  ...changes.map(
    ({ at, status, by, reason }) => `  ${instant(at)}  ${status.padEnd(11)} by ${by}: ${reason}`,
  ),
  ...(origin.gate?.reasons ?? []).map((reason) => `  gate: ${reason}`),
];

/** From here on a feature's distribution is another one. */
const driftThreshold = 0.1;

const short = (value: number): string => value.toFixed(2).replace(/^0\./, ".");

/** A line for each day of a version, newest first: what moved the most, scores, calibration, clicks by position. */
export const driftRows = ({ drift }: ModelDetails): string[][] => [
  [
    ...[
      "day",
      "examples",
      "moved most (PSI)",
      `beyond ${short(driftThreshold)}`,
      "scores (PSI)",
      "mean score",
    ],
    ...["value said / came", "calibration error", "wanted at 1, 2, ..."],
  ],
  ...drift.map(({ day, examples, stability, score, calibration, positions }) => {
    const all = Object.entries(stability).sort(([, a], [, b]) => b - a);
    const most = all[0];
    return [
      day,
      String(examples),
      most ? `${most[0]} ${short(most[1])}` : "-",
      `${all.filter(([, index]) => index > driftThreshold).length} of ${all.length}`,
      short(score.stability),
      score.mean.toFixed(3),
      `${calibration.said.toFixed(3)} / ${calibration.came.toFixed(3)}`,
      calibration.error.toFixed(3),
      positions
        .slice(0, 10)
        .map(({ rate }) => `${Math.round(100 * rate)}%`)
        .join(" "),
    ];
  }),
];
