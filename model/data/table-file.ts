import { implausibilityOf, implausibilityText } from "../../shared/geo/implausible-point.ts";
import { type DecimalMark, parseFloatCell } from "./cell-values.ts";
import { type Column, type ColumnMap, type FileKind, type Header, readHeader } from "./columns.ts";
import { DatasetError } from "./dataset-error.ts";
import { decodeLines, showInvalidBytes } from "./decode-lines.ts";
import { jsonAdvice } from "./other-formats.ts";
import type { FileReport, ReadLog } from "./read-report.ts";
import {
  detectSeparator,
  type Row,
  type Separator,
  separatorNames,
  splitQuotedRow,
  splitRows,
  unquoteCell,
} from "./split-rows.ts";

/** Latitude beyond which a point does not stand for a missing one. */
const maxMissingDegrees = 0.1;

/** A file of a dataset: its name, and its text or its bytes in order. */
export type SourceFile =
  | { name: string; text: string }
  | { name: string; chunks: () => Iterable<Uint8Array> };

/** Returns the bytes of a file. */
export const chunksOf = (file: SourceFile): Iterable<Uint8Array> =>
  "text" in file ? [new TextEncoder().encode(file.text)] : file.chunks();

/** The header of a file. */
interface HeaderLine {
  cells: string[];
  separator: Separator;
  /** Number of the line, from 1. */
  line: number;
}

/** Returns the cells of a file's header; null for an empty file. Throws a {@link DatasetError} if it is no table. */
export const headerCells = (file: SourceFile): string[] | null =>
  readHeaderLine(decodeLines(chunksOf(file)).lines[Symbol.iterator]())?.cells ?? null;

/** Reads blank lines, the line `sep=;` in which Excel names the separator, and the header. */
function readHeaderLine(lines: Iterator<string>): HeaderLine | null {
  let named: Separator | undefined;
  let line = 0;
  for (let next = lines.next(); !next.done; next = lines.next()) {
    line++;
    const text = next.value;
    if (text.trim() === "") continue;
    const separator = line === 1 ? /^"?sep=([\t,;|])"?$/i.exec(text)?.[1] : undefined;
    if (separator !== undefined) named = separator as Separator;
    else return { ...cellsOfHeader(text, line, named), line };
  }
  return null;
}

function cellsOfHeader(text: string, line: number, named?: Separator): Omit<HeaderLine, "line"> {
  if (text.includes("\0"))
    throw new DatasetError("the file is no text: its first line holds bytes of value 0");
  if (/^\s*(?:\{\s*"|\[\s*\{)/.test(text)) throw new DatasetError(`the file is JSON: ${jsonAdvice}`);
  const separator = named ?? detectSeparator(text);
  const cells =
    separator === "\t" ? text.split(separator).map(unquoteHeader) : splitQuotedRow(text, separator);
  if (typeof cells === "string") throw new DatasetError(`line ${line}: a quote is opened and not closed`);
  return { cells, separator };
}

const unquoteHeader = (cell: string): string => unquoteCell(cell).replace(/^"([^"]*)"$/, "$1");

/** One row of a file, whose cells are read by field. Values that cannot be read are absent, and reported. */
export class TableRow {
  readonly line: number;
  readonly #file: string;
  readonly #row: Row;
  readonly #log: ReadLog;
  readonly #decimal: DecimalMark;

  constructor(file: string, row: Row, log: ReadLog, decimal: DecimalMark) {
    this.#file = file;
    this.#row = row;
    this.#log = log;
    this.#decimal = decimal;
    this.line = row.line;
  }

  /** Returns the text of a cell; undefined where the column or the cell is missing, or the cell holds only spaces. */
  cell(column: Column | undefined): string | undefined {
    const text = column === undefined ? undefined : this.#row.cells[column.index];
    return text === undefined || text.trim() === "" ? undefined : text;
  }

  /** Returns the text of a cell; null where it is missing or holds bytes that are not text. */
  text(column: Column | undefined): string | null {
    const text = this.cell(column);
    if (text === undefined || column === undefined) return null;
    if (text.isWellFormed()) return text;
    this.leaveOut(column, text, "holds bytes that are not valid in the encoding of the file");
    return null;
  }

  /** Returns the number of a cell; null where it is missing or not a number from `min` to `max`. */
  number(column: Column | undefined, min?: number, max?: number): number | null {
    const text = this.cell(column);
    return text === undefined || column === undefined ? null : this.numberIn(text, column, min, max);
  }

  /** Returns the number that a part of a cell is; null where it is not a number from `min` to `max`. */
  numberIn(text: string, column: Column, min?: number, max?: number): number | null {
    const parsed = parseFloatCell(text, min, max, this.#decimal);
    if ("value" in parsed) return parsed.value;
    this.leaveOut(column, this.cell(column) ?? text, parsed.problem);
    return null;
  }

  /** Returns the place in two cells; null where one of them is missing or wrong, or both are 0. */
  place(lat: Column | undefined, lon: Column | undefined): { lat: number; lon: number } | null {
    const latitude = this.number(lat, -90, 90);
    const longitude = this.number(lon, -180, 180);
    if (latitude !== null && longitude !== null && lat !== undefined) {
      const place = { lat: latitude, lon: longitude };
      // The first test is a cheap one, since files have millions of places.
      if (Math.abs(latitude) > maxMissingDegrees || implausibilityOf(place) !== "null_island") return place;
      this.leaveOut(
        lat,
        `${this.cell(lat)?.trim()}, ${this.cell(lon)?.trim()}`,
        implausibilityText.null_island,
      );
      return null;
    }
    const [alone, other] = latitude === null ? [lon, lat] : [lat, lon];
    if ((latitude !== null || longitude !== null) && alone !== undefined && this.cell(other) === undefined)
      this.leaveOut(alone, this.cell(alone) ?? "", `has no ${other?.name ?? "other coordinate"} beside it`);
    return null;
  }

  /** Reports that a value is left out. */
  leaveOut(column: Column, value: string, reason: string): void {
    this.#log.leaveOut({
      file: this.#file,
      line: this.line,
      column: column.name,
      value: showInvalidBytes(value.trim()),
      reason,
    });
  }

  get raw(): string {
    return this.#row.raw;
  }
}

/** How a table is read. */
export interface TableOptions {
  /** Fields by the names of their columns, for columns whose names are not known. */
  map?: ColumnMap;
  /** Decimal mark of numbers; a point by default. */
  decimal?: DecimalMark;
}

/** A file whose header is read and whose rows are read while they are iterated. */
export interface TableFile {
  header: Header;
  report: FileReport;
  rows: Iterable<TableRow>;
  /** Leaves a row out. */
  refuse(row: { line: number; raw: string }, reason: string): void;
}

/**
 * Opens a table: an atomic file of RecBole, or a CSV file. Encoding, line ends and separator come from its first line.
 * Atomic files with tabs have no quotes; all others have quotes by RFC 4180. Throws a {@link DatasetError} if the file
 * cannot be read at all.
 */
export function openTable(
  file: SourceFile,
  kind: FileKind,
  { map = new Map(), decimal = "point" }: TableOptions,
  log: ReadLog,
): TableFile {
  const { name } = file;
  const inFile = <T>(read: () => T): T => {
    try {
      return read();
    } catch (error) {
      throw error instanceof DatasetError ? new DatasetError(`${name}: ${error.message}`) : error;
    }
  };
  return inFile(() => {
    const decoded = decodeLines(chunksOf(file));
    const lines = decoded.lines[Symbol.iterator]();
    const first = readHeaderLine(lines);
    if (first === null) throw new DatasetError("the file is empty: its first line must be a header");
    const { separator } = first;
    const header = readHeader(first.cells, kind, map);
    const { others } = header;
    const fieldColumns = header.columns.filter(({ field }) => field !== null);
    const report: FileReport = {
      name,
      kind,
      encoding: decoded.encoding,
      lineEnd: decoded.lineEnd,
      separator,
      rows: 0,
      accepted: 0,
      refused: 0,
      columns: Object.fromEntries(fieldColumns.map((column) => [column.field, column.name])),
      attributes: kind === "products" ? others.map((column) => column.name) : [],
      unread: kind === "events" ? others.map((column) => column.name) : [],
    };
    log.files.push(report);
    noteForm(report, header, decoded.marked, map, log);
    const refuse = (row: { line: number; raw: string }, reason: string): void => {
      report.refused++;
      log.refuse({ file: name, line: row.line, reason, raw: showInvalidBytes(row.raw) });
    };
    const quoted = separator !== "\t" || !header.typed;
    const refuseShape = (row: Row, reason: string): void => {
      refuse(row, reason);
      // The product is not to appear without data only because events name it.
      const id = row.raw.split(separator)[header.byField.get("item_id")?.index ?? 0]?.trim();
      if (kind === "products" && id) log.refusedProducts.add(id);
    };
    const rows = (function* () {
      let short = 0;
      for (const row of splitRows(lines, separator, quoted, first.line + 1)) {
        report.rows++;
        const extra = row.cells.slice(header.columns.length);
        if (row.problem !== null) refuseShape(row, row.problem);
        else if (extra.some((cell) => cell.trim() !== ""))
          refuseShape(row, `has ${row.cells.length} cells; the header has ${header.columns.length}`);
        else {
          if (row.cells.length < header.columns.length) short++;
          yield new TableRow(name, row, log, decimal);
        }
      }
      if (short > 0)
        log.note(`${name}: rows have fewer cells than the header; the missing ones are absent`, short);
    })();
    return { header, report, rows, refuse };
  });
}

/** Reports what was detected of a file's form, where it is not that of an atomic file. */
function noteForm(report: FileReport, header: Header, marked: boolean, map: ColumnMap, log: ReadLog): void {
  const { name, encoding, separator, lineEnd } = report;
  if (encoding !== "UTF-8")
    log.guess(
      `${name}: the encoding is ${encoding}, by its ${marked ? "byte order mark" : "first bytes"}`,
      0,
    );
  if (lineEnd === "CR") log.guess(`${name}: lines end with a carriage return`, 0);
  if (separator !== "\t") log.guess(`${name}: cells are separated by ${separatorNames[separator]}`, 0);
  if (!header.typed)
    log.guess(`${name}: the header declares no types; other columns than known fields are text`, 0);
  const renamed = [...header.byField].filter(
    ([field, column]) => column.name !== field && !map.has(column.name),
  );
  if (renamed.length > 0)
    log.guess(
      `${name}: columns read as fields: ${renamed.map(([field, column]) => `${column.name} as ${field}`).join(", ")}`,
      0,
    );
  for (const number of header.unnamed)
    log.note(
      number === 1
        ? `${name}: the first column has no name; it counts as an index of rows and is not read`
        : `${name}: column ${number} has no name and is not read`,
    );
  for (const number of header.repeated)
    log.note(
      `${name}: column ${number} has the name ${header.columns[number - 1]?.name} again and is not read`,
    );
  if (report.unread.length > 0) log.note(`${name}: columns not read: ${report.unread.join(", ")}`);
}
