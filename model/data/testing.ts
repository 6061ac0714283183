import { allEvents } from "./dataset.ts";
import { type ReadOptions, readFiles } from "./read-files.ts";
import type { AbsentValue, RefusedRow } from "./read-report.ts";
import type { SourceFile } from "./table-file.ts";

/** The time at which the tests read files, in seconds since the epoch. */
export const now = Date.parse("2026-11-30T12:00:00Z") / 1000;
/** Header of an event file. */
export const header = "user_id:token\titem_id:token\ttimestamp:float";
/** Returns `count` rows of an event file from a time in seconds, one minute apart. */
export const rows = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `u${i % 3}\tc${i % 5}\t${from + i * 60}`);
/** Returns an event file of these lines. */
export const inter = (lines: readonly string[], name = "shop.inter"): SourceFile => ({
  name,
  text: lines.join("\n"),
});

/** Reads files. Returns the dataset, its events, the report, and all refused rows and absent values. */
export function read(files: readonly SourceFile[], options: ReadOptions = {}) {
  const refused: RefusedRow[] = [];
  const absent: AbsentValue[] = [];
  const found = readFiles(files, {
    now,
    onRefused: (row) => refused.push(row),
    onAbsent: (value) => absent.push(value),
    ...options,
  });
  return { ...found, events: allEvents(found.dataset), refused, absent };
}

/** Reads lines of a product file, without events. Returns what {@link read} does. */
export const readProducts = (lines: readonly string[]) =>
  read([{ name: "x.item", text: lines.join("\n") }], { needsEvents: false });

/** Returns a text in UTF-16, with or without a byte order mark. */
export function utf16(text: string, bigEndian: boolean, mark: boolean): Uint8Array {
  const units = [...(mark ? `\uFEFF${text}` : text)].flatMap((each) =>
    Array.from({ length: each.length }, (_, i) => each.charCodeAt(i)),
  );
  return new Uint8Array(
    units.flatMap((unit) => (bigEndian ? [unit >> 8, unit & 255] : [unit & 255, unit >> 8])),
  );
}

/** Returns a file whose bytes come in chunks of `size`, so that characters and lines are cut. */
export const inChunks = (name: string, bytes: Uint8Array, size: number): SourceFile => ({
  name,
  *chunks() {
    for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
  },
});
