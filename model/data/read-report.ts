import type { FileKind } from "./columns.ts";
import type { Encoding, LineEnd } from "./decode-lines.ts";
import type { Separator } from "./split-rows.ts";

/** A row that was left out. */
export interface RefusedRow {
  file: string;
  /** Number of the row's first line, from 1. */
  line: number;
  reason: string;
  /** The row as the file has it. */
  raw: string;
}

/** A value that was left out of a row that was kept. */
export interface AbsentValue {
  file: string;
  line: number;
  column: string;
  /** The text of the cell. */
  value: string;
  reason: string;
}

/** What was read of one file. */
export interface FileReport {
  name: string;
  kind: FileKind;
  encoding: Encoding;
  lineEnd: LineEnd;
  separator: Separator;
  rows: number;
  accepted: number;
  refused: number;
  /** The column of each field. */
  columns: Record<string, string>;
  /** Columns that became attributes of products. */
  attributes: string[];
  /** Columns that were not read. */
  unread: string[];
}

/** What the reader of a dataset found. */
export interface ReadReport {
  files: FileReport[];
  rows: number;
  accepted: number;
  refused: number;
  /** Rows that a file of another name holds too. */
  repeated: number;
  /** Rows that were left out because their rating is below the given minimum. */
  belowMinRating: number;
  absentValues: number;
  /** The first refused rows and the first absent values, without the text of the rows. */
  firstRefused: Omit<RefusedRow, "raw">[];
  firstAbsent: AbsentValue[];
  /** What was assumed, one sentence each. */
  guessed: string[];
  /** What was changed, one sentence each, with the number of rows. */
  changed: string[];
  /** What else one should know, one sentence each. */
  notes: string[];
  /** Whether the events have times. Without a column of times, rows count as one minute apart. */
  timed: boolean;
  /** Products that occur in events only. */
  derivedProducts: ReadonlySet<string>;
  /** Products whose row was refused. */
  refusedProducts: ReadonlySet<string>;
}

/** Refused rows and absent values that a report lists. */
const maxListed = 20;

/** Receives each refused row and each absent value. */
export interface ReadListener {
  onRefused?(row: RefusedRow): void;
  onAbsent?(value: AbsentValue): void;
}

/** Collects what the reader of a dataset finds. Memory is bounded: only counts and the first findings are kept. */
export class ReadLog {
  readonly files: FileReport[] = [];
  readonly firstRefused: Omit<RefusedRow, "raw">[] = [];
  readonly firstAbsent: AbsentValue[] = [];
  readonly refusedProducts = new Set<string>();
  refused = 0;
  absentValues = 0;
  repeated = 0;
  belowMinRating = 0;
  readonly #listener: ReadListener;
  readonly #guessed = new Map<string, number>();
  readonly #changed = new Map<string, number>();
  readonly #notes = new Map<string, number>();

  constructor(listener: ReadListener) {
    this.#listener = listener;
  }

  refuse(row: RefusedRow): void {
    this.refused++;
    if (this.firstRefused.length < maxListed)
      this.firstRefused.push({ file: row.file, line: row.line, reason: row.reason });
    this.#listener.onRefused?.(row);
  }

  leaveOut(value: AbsentValue): void {
    this.absentValues++;
    if (this.firstAbsent.length < maxListed) this.firstAbsent.push(value);
    this.#listener.onAbsent?.(value);
  }

  /** Counts a guess, a change or a note. The sentence is reported once, with its number of rows if `rows` is above 0. */
  guess(sentence: string, rows = 1): void {
    this.#guessed.set(sentence, (this.#guessed.get(sentence) ?? 0) + rows);
  }
  change(sentence: string, rows = 1): void {
    this.#changed.set(sentence, (this.#changed.get(sentence) ?? 0) + rows);
  }
  note(sentence: string, rows = 0): void {
    this.#notes.set(sentence, (this.#notes.get(sentence) ?? 0) + rows);
  }

  report(rest: Pick<ReadReport, "timed" | "derivedProducts">): ReadReport {
    const sum = (count: (file: FileReport) => number): number =>
      this.files.reduce((total, file) => total + count(file), 0);
    return {
      files: this.files,
      rows: sum(({ rows }) => rows),
      accepted: sum(({ accepted }) => accepted),
      refused: this.refused,
      repeated: this.repeated,
      belowMinRating: this.belowMinRating,
      absentValues: this.absentValues,
      firstRefused: this.firstRefused,
      firstAbsent: this.firstAbsent,
      guessed: sentences(this.#guessed),
      changed: sentences(this.#changed),
      notes: sentences(this.#notes),
      refusedProducts: this.refusedProducts,
      ...rest,
    };
  }
}

const sentences = (counts: ReadonlyMap<string, number>): string[] =>
  [...counts].map(([sentence, rows]) =>
    rows === 0 ? sentence : `${sentence} (${rows.toLocaleString("en")} ${rows === 1 ? "row" : "rows"})`,
  );
