import { basename, relative } from "node:path";
import type { FileReport } from "../../model/data/read-report.ts";
import { separatorNames } from "../../model/data/split-rows.ts";
import type { LoadReport } from "./load-marketplace.ts";
import type { ReadMarketplace } from "./read-marketplace.ts";

/** Refused rows and values that the terminal shows; the tables beside the files have all. */
const maxShown = 5;

const count = (value: number): string => value.toLocaleString("en");
const rows = (value: number): string => `${count(value)} ${value === 1 ? "row" : "rows"}`;

/** Returns paths as text: relative to the current folder if they lie in it. */
const pathsText = (paths: readonly string[]): string =>
  paths
    .map((path) => {
      const inside = relative(process.cwd(), path);
      return inside.startsWith("..") ? path : inside;
    })
    .join(", ");

function fileLine({ name, kind, encoding, separator, rows: read, accepted, refused }: FileReport): string {
  return `${name}: ${rows(read)} of ${kind}, ${count(accepted)} accepted, ${count(refused)} refused (${encoding}, ${separatorNames[separator]})`;
}

/** Returns the lines that say what was read, guessed, changed and left out. */
export function readLines(read: ReadMarketplace): string[] {
  const { report, movedWeeks, findings } = read;
  if (report === null) return [];
  const lines = report.files.map(fileLine);
  if (report.repeated > 0)
    lines.push(`left out: ${rows(report.repeated)} that another file of the folder holds too`);
  if (report.belowMinRating > 0)
    lines.push(`left out: ${rows(report.belowMinRating)} with a rating below the minimum`);
  if (movedWeeks !== 0)
    lines.push(
      `changed: all times are ${count(movedWeeks)} weeks later, so that the newest event is of the past week; --times keep leaves them`,
    );
  for (const each of report.changed) lines.push(`changed: ${each}`);
  for (const each of report.guessed) lines.push(`guessed: ${each}`);
  for (const each of report.notes) lines.push(`note: ${each}`);
  const derived = [...read.derivedProducts].filter((id) => !report.refusedProducts.has(id)).length;
  if (derived > 0)
    lines.push(
      `note: products that occur in events only, added where the catalog lacks them: ${count(derived)}`,
    );
  if (report.absentValues > 0) {
    lines.push(`values left out of rows that are kept: ${count(report.absentValues)}. The first:`);
    for (const { file, line, column, value, reason } of report.firstAbsent.slice(0, maxShown))
      lines.push(`  ${file}, line ${line}, ${column}: ${JSON.stringify(value)} ${reason}`);
    lines.push(`  all of them: ${pathsText(findings.absent)}`);
  }
  if (report.refused > 0) {
    lines.push(`rows refused: ${count(report.refused)}. The first:`);
    for (const { file, line, reason } of report.firstRefused.slice(0, maxShown))
      lines.push(`  ${file}, line ${line}: ${reason}`);
    lines.push(`  all of them: ${pathsText(findings.refused)}`);
  }
  return lines;
}

/** Returns the lines that say what the API did with products and events. */
export function loadLines({ products, events, refused }: LoadReport, refusedFile: string | null): string[] {
  const lines = [
    `products: ${count(products.received)} sent, ${count(products.accepted)} accepted, ${count(products.rejected)} refused`,
    `events: ${count(events.received)} sent, ${count(events.accepted)} accepted, ${count(events.duplicates)} known before, ${count(events.rejected)} refused`,
  ];
  for (const { warnings = [], warningsOmitted = 0 } of [products, events])
    if (warnings.length > 0)
      lines.push(
        `  ${count(warnings.length + warningsOmitted)} with a warning. The first: ${warnings[0].message}`,
      );
  for (const { reason, item } of refused.slice(0, maxShown)) lines.push(`  refused: ${reason}: ${item}`);
  if (refusedFile !== null) lines.push(`  all of them: ${pathsText([refusedFile])}`);
  return lines;
}

/** Returns all counts as one object, for programs. */
export function jsonReport(
  read: ReadMarketplace,
  load: LoadReport | null,
  outcome: { result: "read" | "done" | "failed"; reason?: string; refusedFile?: string | null },
): Record<string, unknown> {
  const { marketplace, report, movedWeeks, findings } = read;
  return {
    result: outcome.result,
    ...(outcome.reason === undefined ? {} : { reason: outcome.reason }),
    dataset: marketplace.name,
    ...(report === null
      ? {}
      : {
          read: { rows: report.rows, accepted: report.accepted, refused: report.refused },
          repeated: report.repeated,
          belowMinRating: report.belowMinRating,
          movedWeeks,
          changed: report.changed,
          guessed: report.guessed,
          notes: report.notes,
          productsInEventsOnly: read.derivedProducts.size,
          absentValues: { count: report.absentValues, first: report.firstAbsent, files: findings.absent },
          refusedRows: { count: report.refused, first: report.firstRefused, files: findings.refused },
          files: report.files,
        }),
    ...(load === null
      ? {}
      : {
          products: withoutErrors(load.products),
          events: withoutErrors(load.events),
          refusedByApi: {
            count: load.products.rejected + load.events.rejected,
            first: load.refused.slice(0, maxShown),
            files: outcome.refusedFile ? [outcome.refusedFile] : [],
          },
        }),
  };
}

function withoutErrors({ received, accepted, duplicates, rejected, ...more }: LoadReport["events"]) {
  const warned = (more.warnings?.length ?? 0) + (more.warningsOmitted ?? 0);
  return { sent: received, accepted, knownBefore: duplicates, refused: rejected, warned };
}

/** Returns the name of the file with the items that the API refused. */
export const refusedItemsName = (dataset: string): string => `${basename(dataset)}.refused-by-api.ndjson`;
