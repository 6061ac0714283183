import type { ExperimentResults, MetricComparison } from "../../shared/contracts/experiment.ts";
import { metricTitles } from "./experiment-results.ts";

/** Sizes in pixels. */
const layout = { width: 720, left: 220, right: 90, row: 28, top: 74, bottom: 40 };
/** The axis ends at a difference of at least this share of the control's value. */
const minAxis = 0.02;
/** Bounds beyond this share are cut off: an early interval says little, and would hide the others. */
const maxAxis = 1;

const colors = `
  .paper { fill: #ffffff } .text { fill: #1f2328 } .quiet { fill: #59636e } .grid { stroke: #d1d9e0 } .zero { stroke: #59636e }
  .open { stroke: #59636e; fill: #59636e } .better { stroke: #1a7f37; fill: #1a7f37 } .worse { stroke: #cf222e; fill: #cf222e }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117 } .text { fill: #f0f6fc } .quiet { fill: #9198a1 } .grid { stroke: #3d444d } .zero { stroke: #9198a1 }
    .open { stroke: #9198a1; fill: #9198a1 } .better { stroke: #3fb950; fill: #3fb950 } .worse { stroke: #f85149; fill: #f85149 }
  }`;

const escapes: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escapeXml = (text: string): string => text.replace(/[&<>"]/g, (sign) => escapes[sign]);

/** A line of the plot: a metric of a variant, relative to the control's value. */
interface PlotRow {
  label: string;
  verdict: NonNullable<MetricComparison["verdict"]>;
  /** Relative difference; null without a value of the control to divide by. */
  difference: number | null;
  interval: { low: number; high: number } | null;
}

function plotRow(
  variant: string,
  { metric, value, difference = 0, interval, verdict = "open" }: MetricComparison,
): PlotRow {
  const base = Math.abs(value - difference);
  return {
    label: `${variant}: ${metricTitles[metric]}`,
    verdict,
    difference: base > 0 ? difference / base : null,
    interval: base > 0 && interval ? { low: interval.low / base, high: interval.high / base } : null,
  };
}

/** Returns the sentence in lines of at most `length` characters, at most two. */
function linesOf(sentence: string, length: number): string[] {
  const lines = [""];
  for (const word of sentence.split(" ")) {
    const line = lines[lines.length - 1];
    if (line === "" || line.length + word.length < length)
      lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
    else if (lines.length < 2) lines.push(word);
    else {
      lines[1] = `${lines[1].slice(0, length - 1)}…`;
      break;
    }
  }
  return lines;
}

const percent = (share: number): string =>
  `${share > 0 ? "+" : share < 0 ? "−" : ""}${Number((100 * Math.abs(share)).toPrecision(3))}%`;

/**
 * Returns results as an SVG picture: a line for each metric of each variant, with its difference from the control in
 * percent and the always-valid interval. The colors follow the reader's light or dark mode.
 */
export function resultsPlot({
  name,
  sentence,
  variants,
}: Pick<ExperimentResults, "name" | "sentence" | "variants">): string {
  const rows = variants
    .slice(1)
    .flatMap((variant) => variant.metrics.map((each) => plotRow(variant.name, each)));
  const ends = rows.flatMap(({ interval, difference }) =>
    [interval?.low, interval?.high, difference].map((end) => Math.abs(end ?? 0)),
  );
  const axis = Math.min(maxAxis, Math.max(minAxis, ...ends));
  const { width, left, right, row, top, bottom } = layout;
  const height = top + rows.length * row + bottom;
  const x = (share: number): string => {
    const cut = Math.max(-axis, Math.min(axis, share));
    return (left + ((cut + axis) / (2 * axis)) * (width - left - right)).toFixed(1);
  };
  const text = (at: string | number, y: number, style: string, content: string, anchor = "start"): string =>
    `<text x="${at}" y="${y}" class="${style}" text-anchor="${anchor}">${escapeXml(content)}</text>`;
  const line = (x1: string, y1: number, x2: string, y2: number, style: string, stroke = 1): string =>
    `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" class="${style}" stroke-width="${stroke}"/>`;
  const end = height - bottom;
  const grid = [-1, -0.5, 0, 0.5, 1].flatMap((part) => [
    line(x(part * axis), top - 8, x(part * axis), end, part === 0 ? "zero" : "grid"),
    text(x(part * axis), end + 18, "quiet", percent(part * axis), "middle"),
  ]);
  const marks = rows.flatMap(({ label, verdict, difference, interval }, i) => {
    const y = top + i * row + row / 2;
    return [
      text(left - 12, y + 4, "text", label, "end"),
      ...(interval ? [line(x(interval.low), y, x(interval.high), y, verdict, 3)] : []),
      ...(difference === null
        ? []
        : [`<circle cx="${x(difference)}" cy="${y}" r="4.5" class="${verdict}"/>`]),
      text(
        width - right + 12,
        y + 4,
        "quiet",
        interval && difference !== null ? percent(difference) : "too early",
      ),
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="system-ui, sans-serif" font-size="12">`,
    `<title>${escapeXml(`Experiment ${name}: ${sentence}`)}</title>`,
    `<style>${colors}\n</style>`,
    `<rect width="${width}" height="${height}" class="paper"/>`,
    `<text x="16" y="22" class="text" font-size="15" font-weight="600">${escapeXml(name)}</text>`,
    ...linesOf(sentence, 105).map((each, i) => text(16, 40 + 15 * i, "quiet", each)),
    ...grid,
    ...marks,
    "</svg>",
  ].join("\n");
}
