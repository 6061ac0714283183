/** A curve of the figure, with one value for each day, beginning with day 1. */
export interface DailyCurve {
  name: string;
  values: readonly number[];
  /** CSS class of the stroke. */
  kind: "on" | "off";
}

/** Data of the figure. */
export interface RecalibrationFigure {
  curves: readonly DailyCurve[];
  /** Number of the day on which the season begins, starting at 1. */
  seasonStartDay: number;
  /** Value of the reference model, as a horizontal line. */
  reference: number;
}

/** Size of the figure and of its margins, in units of the SVG. */
const width = 720;
const height = 360;
const left = 56;
const right = 16;
const top = 56;
const bottom = 48;
const legendSpacing = 205;

const round = (value: number): string => String(Math.round(value * 10) / 10);

/** Returns the figure as SVG, with colors for light and dark pages. */
export function plotRecalibration({ curves, seasonStartDay, reference }: RecalibrationFigure): string {
  const days = Math.max(...curves.map(({ values }) => values.length));
  const allValues = [...curves.flatMap(({ values }) => values), reference];
  const tickInterval = Math.max(...allValues) > 40 ? 10 : Math.max(...allValues) > 15 ? 5 : 2;
  const low = Math.max(0, tickInterval * Math.floor(Math.min(...allValues) / tickInterval - 0.5));
  const high = tickInterval * Math.ceil(Math.max(...allValues) / tickInterval + 0.2);
  const x = (day: number): number => left + ((day - 0.5) / days) * (width - left - right);
  const y = (value: number): number => top + ((high - value) / (high - low)) * (height - top - bottom);
  const line = (x1: number, y1: number, x2: number, y2: number, kind: string): string =>
    `<line class="${kind}" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"/>`;
  const text = (at: [number, number], content: string, anchor = "middle", attributes = ""): string =>
    `<text x="${round(at[0])}" y="${round(at[1])}" text-anchor="${anchor}"${attributes}>${content}</text>`;
  const ticks = Array.from(
    { length: Math.round((high - low) / tickInterval) + 1 },
    (_, i) => low + i * tickInterval,
  );
  const start = x(seasonStartDay - 0.5);
  const legend = [
    ...curves.map(({ name, kind }) => ({ name, kind: kind as string })),
    { name: "trained on the whole season", kind: "reference" },
  ];
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="Expected purchases of 100 recommended products by day, with and without recalibration">`,
    "<style>",
    "text{font:13px system-ui,sans-serif;fill:#333}line,polyline{fill:none;stroke-width:1}.grid{stroke:#8884}.shift{stroke:#888;stroke-dasharray:3 3}",
    ".on{stroke:#0a7d5a;stroke-width:2.5}.off{stroke:#c2491d;stroke-width:2.5}.reference{stroke:#5661c9;stroke-width:2;stroke-dasharray:7 4}circle.on{fill:#0a7d5a}circle.off{fill:#c2491d}",
    "@media(prefers-color-scheme:dark){text{fill:#ddd}.on{stroke:#3ccb9b}.off{stroke:#f2814f}.reference{stroke:#9aa4ff}circle.on{fill:#3ccb9b}circle.off{fill:#f2814f}}",
    "</style>",
    ...ticks.flatMap((tick) => [
      line(left, y(tick), width - right, y(tick), "grid"),
      text([left - 8, y(tick) + 4], String(tick), "end"),
    ]),
    ...Array.from({ length: days }, (_, i) => text([x(i + 1), height - bottom + 18], String(i + 1))),
    text([(left + width - right) / 2, height - 8], "simulated day"),
    text(
      [0, 0],
      "expected purchases per 100 recommended",
      "middle",
      ` transform="translate(14 ${round((top + height - bottom) / 2)}) rotate(-90)"`,
    ),
    line(start, top, start, height - bottom, "shift"),
    text([start + 6, top + 12], "the season begins", "start"),
    line(start, y(reference), width - right, y(reference), "reference"),
    ...curves.flatMap(({ values, kind }) => [
      `<polyline class="${kind}" points="${values.map((value, i) => `${round(x(i + 1))},${round(y(value))}`).join(" ")}"/>`,
      ...values.map(
        (value, i) =>
          `<circle class="${kind}" cx="${round(x(i + 1))}" cy="${round(y(value))}" r="3"><title>day ${i + 1}: ${value.toFixed(2)}</title></circle>`,
      ),
    ]),
    ...legend.flatMap(({ name, kind }, i) => {
      const from = left + i * legendSpacing;
      return [line(from, 24, from + 24, 24, kind), text([from + 30, 28], name, "start")];
    }),
    "</svg>",
  ].join("\n")}\n`;
}
