import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join, resolve } from "node:path";
import type { AbsentValue, ReadListener, RefusedRow } from "../../model/data/read-report.ts";

/** Characters that wait to be written. */
const bufferedCharacters = 1 << 16;

/** Returns a text for a cell of a table: tabs and line breaks become spaces. */
const toCell = (text: string): string => text.replaceAll(/[\t\r\n]/g, " ");

/** A table that is opened at its first row: in a folder, or in the current folder where that one is read-only. */
class LazyTable {
  readonly #header: string;
  readonly #folder: string;
  readonly #name: string;
  #file: number | null = null;
  #waiting = "";
  path = "";

  constructor(folder: string, name: string, header: string) {
    this.#folder = folder;
    this.#name = name;
    this.#header = header;
  }

  add(line: string): void {
    if (this.#file === null) this.#open();
    this.#waiting += `${line}\n`;
    if (this.#waiting.length > bufferedCharacters) this.#write();
  }

  #open(): void {
    for (const folder of [this.#folder, process.cwd()]) {
      try {
        this.path = resolve(join(folder, this.#name));
        this.#file = openSync(this.path, "w");
        break;
      } catch (error) {
        if (folder === process.cwd()) throw error;
      }
    }
    this.#waiting = `${this.#header}\n`;
  }

  #write(): void {
    if (this.#file !== null) writeSync(this.#file, this.#waiting);
    this.#waiting = "";
  }

  close(): void {
    this.#write();
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }
}

/**
 * Writes all refused rows, and all values that were left out, to tables beside the files of a dataset:
 * `orders.csv.refused.tsv` and `orders.csv.absent.tsv`. Where the folder cannot be written, to the current folder.
 */
export class FindingsFiles implements ReadListener {
  readonly #folder: string;
  readonly #refused = new Map<string, LazyTable>();
  readonly #absent = new Map<string, LazyTable>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  onRefused({ file, line, reason, raw }: RefusedRow): void {
    this.#table(this.#refused, file, "refused", "line\treason\trow").add(
      `${line}\t${toCell(reason)}\t${raw.replaceAll(/\r?\n|\r/g, "\\n")}`,
    );
  }

  onAbsent({ file, line, column, value, reason }: AbsentValue): void {
    this.#table(this.#absent, file, "absent", "line\tcolumn\tvalue\treason").add(
      [String(line), column, value, reason].map(toCell).join("\t"),
    );
  }

  #table(tables: Map<string, LazyTable>, file: string, kind: string, header: string): LazyTable {
    const known = tables.get(file);
    if (known) return known;
    const table = new LazyTable(this.#folder, `${file}.${kind}.tsv`, header);
    tables.set(file, table);
    return table;
  }

  /** Ends the files. Removes the files of an earlier run for those of `names` that have no findings now. */
  close(names: readonly string[]): { refused: string[]; absent: string[] } {
    for (const [kind, tables] of [
      ["refused", this.#refused],
      ["absent", this.#absent],
    ] as const)
      for (const name of names)
        if (!tables.has(name)) removeIfPossible(join(this.#folder, `${name}.${kind}.tsv`));
    const end = (tables: Map<string, LazyTable>): string[] =>
      [...tables.values()].map((table) => {
        table.close();
        return table.path;
      });
    return { refused: end(this.#refused), absent: end(this.#absent) };
  }
}

function removeIfPossible(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The folder is read-only, so no earlier run has written there.
  }
}
