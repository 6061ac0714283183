import type {
  ExperimentMetric,
  ExperimentResults,
  MetricComparison,
} from "../../shared/contracts/experiment.ts";
import { metricTitles } from "./experiment-results.ts";

/** Sizes in pixels. */
const layout = { width: 720, left: 190, right: 100, row: 26, heading: 28, top: 92, bottom: 44 };
/**
 * Differences at which the axis may end, as shares of the control's value. Bounds beyond the last one are cut off: an
 * early interval says little, and would hide the others.
 */
const axisEnds = [0.02, 0.04, 0.1, 0.2, 0.4, 0.6, 1];
/** Characters of a line of the sentence, and lines. */
const sentenceSize = { characters: 105, lines: 3 };

const colors = `
  .paper { fill: #ffffff } .text { fill: #1f2328 } .quiet { fill: #59636e } .grid { stroke: #d1d9e0 } .zero { stroke: #59636e }
  .margin { stroke: #9a6700 } .open { stroke: #59636e; fill: #59636e } .better, .notWorse { stroke: #1a7f37; fill: #1a7f37 } .worse { stroke: #cf222e; fill: #cf222e }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117 } .text { fill: #f0f6fc } .quiet { fill: #9198a1 } .grid { stroke: #3d444d } .zero { stroke: #9198a1 }
    .margin { stroke: #d29922 } .open { stroke: #9198a1; fill: #9198a1 } .better, .notWorse { stroke: #3fb950; fill: #3fb950 } .worse { stroke: #f85149; fill: #f85149 }
  }`;

const escapes: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escapeXml = (text: string): string => text.replace(/[&<>"]/g, (sign) => escapes[sign]);

/** A line of the plot: a metric of a variant, relative to the control's value. */
interface PlotRow {
  metric: ExperimentMetric;
  verdict: NonNullable<MetricComparison["verdict"]>;
  /** Relative difference; null without a value of the control to divide by. */
  difference: number | null;
  interval: { low: number; high: number } | null;
  /** The relative difference at which a guardrail's margin is used up; null for a metric without a margin. */
  margin: number | null;
}

function plotRow({
  metric,
  value,
  difference = 0,
  interval,
  margin,
  verdict = "open",
}: MetricComparison): PlotRow {
  const base = Math.abs(value - difference);
  return {
    metric,
    verdict,
    difference: base > 0 ? difference / base : null,
    interval: base > 0 && interval ? { low: interval.low / base, high: interval.high / base } : null,
    margin: margin === undefined ? null : metric === "latency" ? margin : -margin,
  };
}

/** Returns the sentence in lines, see {@link sentenceSize}; what is too long ends with an ellipsis. */
function linesOf(sentence: string): string[] {
  const { characters, lines: maxLines } = sentenceSize;
  const lines = [""];
  for (const word of sentence.split(" ")) {
    const line = lines[lines.length - 1];
    if (line === "" || line.length + word.length < characters)
      lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
    else if (lines.length < maxLines) lines.push(word);
    else {
      lines[maxLines - 1] = `${line.slice(0, characters - 1)}…`;
      break;
    }
  }
  return lines;
}

const percent = (share: number): string =>
  `${share > 0 ? "+" : share < 0 ? "−" : ""}${Number((100 * Math.abs(share)).toPrecision(3))}%`;

/** Returns an SVG text; `anchor` says which end of it is at `x`. */
const svgText = (
  x: number | string,
  y: number,
  style: string,
  content: string,
  anchor: "start" | "middle" | "end" = "start",
): string => `<text x="${x}" y="${y}" class="${style}" text-anchor="${anchor}">${escapeXml(content)}</text>`;

/** Returns an SVG line. */
const svgLine = (
  [x1, y1]: [number | string, number],
  [x2, y2]: [number | string, number],
  style: string,
  attributes = 'stroke-width="1"',
): string => `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" class="${style}" ${attributes}/>`;

/** Returns what is drawn of a metric around the height `y`; `x` returns the position of a relative difference. */
function rowMarks(
  { metric, verdict, difference, interval, margin }: PlotRow,
  y: number,
  x: (share: number) => string,
): string[] {
  const { left, right, width } = layout;
  const figure = interval && difference !== null ? percent(difference) : "too early";
  return [
    svgText(left - 14, y + 4, "text", metricTitles[metric], "end"),
    ...(margin === null
      ? []
      : [
          svgLine(
            [x(margin), y - 9],
            [x(margin), y + 9],
            "margin",
            'stroke-width="2" stroke-dasharray="3 2"',
          ),
        ]),
    ...(interval
      ? [
          svgLine(
            [x(interval.low), y],
            [x(interval.high), y],
            verdict,
            'stroke-width="3" stroke-linecap="round"',
          ),
        ]
      : []),
    ...(difference === null ? [] : [`<circle cx="${x(difference)}" cy="${y}" r="4.5" class="${verdict}"/>`]),
    svgText(width - right + 14, y + 4, interval ? "text" : "quiet", figure),
  ];
}

/**
 * Returns results as an SVG picture: below the name of each variant a line for each metric, with its difference from the
 * control in percent, the always-valid interval and the margin. The colors follow the reader's light or dark mode.
 */
export function resultsPlot({
  name,
  sentence,
  variants: [control, ...others],
}: Pick<ExperimentResults, "name" | "sentence" | "variants">): string {
  const { width, left, right, row, heading, top, bottom } = layout;
  const groups = others.map((variant) => ({ variant, rows: variant.metrics.map(plotRow) }));
  const rows = groups.flatMap((group) => group.rows);
  const ends = rows.flatMap(({ interval, difference, margin }) =>
    [interval?.low, interval?.high, difference, margin].map((end) => Math.abs(end ?? 0)),
  );
  const widest = Math.max(...ends);
  const axis = axisEnds.find((each) => each >= widest) ?? axisEnds[axisEnds.length - 1];
  const end = top + groups.length * heading + rows.length * row + 8;
  const height = end + bottom;
  const x = (share: number): string => {
    const cut = Math.max(-axis, Math.min(axis, share));
    return (left + ((cut + axis) / (2 * axis)) * (width - left - right)).toFixed(1);
  };
  const grid = [-1, -0.5, 0, 0.5, 1].flatMap((part) => [
    svgLine([x(part * axis), top + heading], [x(part * axis), end], part === 0 ? "zero" : "grid"),
    svgText(x(part * axis), end + 18, "quiet", percent(part * axis), "middle"),
  ]);
  const marks: string[] = [];
  let y = top;
  for (const { variant, rows: ofVariant } of groups) {
    // The name has a background of its own, since it may be as long as the picture is wide.
    marks.push(
      `<rect x="0" y="${y + 4}" width="${width}" height="${heading - 6}" class="paper"/>`,
      `<text x="16" y="${y + heading / 2 + 6}" class="text" font-weight="600">${escapeXml(variant.name)}<tspan class="quiet" font-weight="400"> against ${escapeXml(control?.name ?? "")}</tspan></text>`,
    );
    y += heading;
    for (const each of ofVariant) {
      marks.push(...rowMarks(each, y + row / 2, x));
      y += row;
    }
  }
  const legend = rows.some(({ margin }) => margin !== null) ? "; dashed: the margin" : "";
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="system-ui, sans-serif" font-size="12">`,
    `<title>${escapeXml(`Experiment ${name}: ${sentence}`)}</title>`,
    `<style>${colors}\n</style>`,
    `<rect width="${width}" height="${height}" class="paper"/>`,
    `<text x="16" y="24" class="text" font-size="15" font-weight="600">${escapeXml(name)}</text>`,
    ...linesOf(sentence).map((each, i) => svgText(16, 44 + 16 * i, "quiet", each)),
    ...grid,
    ...marks,
    svgText(
      16,
      height - 8,
      "quiet",
      `Difference from ${control?.name ?? "the control"} in percent of its value${legend}`,
    ),
    "</svg>",
  ].join("\n");
}
