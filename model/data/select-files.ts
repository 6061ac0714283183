import { type ColumnMap, kindOfHeader } from "./columns.ts";
import { DatasetError } from "./dataset-error.ts";
import { adviceFor } from "./other-formats.ts";
import type { ReadLog } from "./read-report.ts";
import { headerCells, type SourceFile } from "./table-file.ts";

/** Event files that belong together: one file, or the parts into which one was cut. */
export interface EventGroup {
  /** Name of the files without part and ending. */
  name: string;
  files: SourceFile[];
}

/** The files of a dataset by what they are for. */
export interface SelectedFiles {
  name: string;
  items: SourceFile[];
  /** Groups whose rows are all read, when the dataset is not split. A row of two groups counts once. */
  groups: EventGroup[];
  /** The three parts of a dataset that is split already; null where it is not. */
  parts: { train: SourceFile[]; valid: SourceFile[]; test: SourceFile[] } | null;
  /** Files that are not read, each with the reason. */
  unread: string[];
}

const endings = /\.(inter|item|csv|tsv)$/i;
/** Files that the importer writes beside a dataset. */
const reportEnding = /\.(refused|absent)\.tsv$/i;
const partName = /\.part[-_]?(\d+)$/i;
const splitName = /\.(train|valid|test)$/;

/** Returns whether a file, by its name, may belong to a dataset. */
export const isDatasetFile = (name: string): boolean => endings.test(name) && !reportEnding.test(name);
/** Returns whether a file is a report of an import, or the documentation of a dataset. */
const isReport = (name: string): boolean =>
  reportEnding.test(name) || /^\.|^(readme|license)|\.refused-by-api\.ndjson$/i.test(name);
/** Names of files that a note lists. */
const maxListedNames = 10;

const baseName = (name: string): string =>
  name.replace(endings, "").replace(splitName, "").replace(partName, "");
const stemOf = (name: string): string => name.replace(endings, "");

/**
 * Sorts files into products and events. `.inter` and `.item` say which they are; CSV files are told apart by their
 * headers, and are read only where there is no `.inter` file. A file with `.train` has the parts `.valid` and `.test`
 * beside it. Files with `.part1`, `.part2` and `.part3`, and no more, are these three parts, as RecBole reads them in
 * `benchmark_filename`; any other number of parts is one file in pieces.
 */
export function selectFiles(files: readonly SourceFile[], map: ColumnMap, log: ReadLog): SelectedFiles {
  const others = files.map(({ name }) => name).filter((name) => !isDatasetFile(name) && !isReport(name));
  if (others.length > 0)
    log.note(
      `files not read, since only .inter, .item, .csv and .tsv are: ${others.slice(0, maxListedNames).join(", ")}${others.length > maxListedNames ? " and others" : ""}`,
    );
  const unread = others.map((name) => `${name} (${adviceFor(name) ?? "not .inter, .item, .csv or .tsv"})`);
  for (const name of others.slice(0, maxListedNames)) {
    const advised = adviceFor(name);
    if (advised !== null) log.note(`${name}: ${advised}`);
  }
  const sorted = files.filter(({ name }) => isDatasetFile(name)).sort(byNameAndPart);
  const ends = (ending: string) => (file: SourceFile) => file.name.toLowerCase().endsWith(ending);
  let events = sorted.filter(ends(".inter"));
  const items = sorted.filter(ends(".item"));
  const tables = sorted.filter((file) => !events.includes(file) && !items.includes(file));
  if (events.length > 0) {
    for (const { name } of tables) log.note(`${name}: not read, since the folder has .inter files`);
  } else
    for (const file of tables) {
      const cells = tableHeader(file);
      const kind = kindOfHeader(cells, map);
      if (kind === "events") events.push(file);
      else if (kind === "products") items.push(file);
      else {
        const reason =
          cells.length === 0
            ? "the file is empty"
            : `no column names a product, of ${cells.slice(0, maxListedNames).join(", ")}; --map COLUMN=item_id names one`;
        log.note(`${file.name}: not read: ${reason}`);
        unread.push(`${file.name} (${reason})`);
      }
    }
  const train = events.filter(({ name }) => stemOf(name).endsWith(".train"));
  const withSuffix = (suffix: string): SourceFile[] =>
    events.filter(
      ({ name }) => stemOf(name).endsWith(suffix) && train.some((each) => sameBase(each.name, name)),
    );
  let parts: SelectedFiles["parts"] = null;
  if (train.length > 0) {
    parts = { train, valid: withSuffix(".valid"), test: withSuffix(".test") };
    const used = [...parts.train, ...parts.valid, ...parts.test];
    for (const { name } of events.filter((file) => !used.includes(file)))
      log.note(`${name}: not read, since the dataset is split into .train, .valid and .test`);
    events = used;
  }
  const groups = new Map<string, EventGroup>();
  for (const file of events) {
    const base = baseName(file.name);
    const group = groups.get(base) ?? { name: base, files: [] };
    groups.set(base, group);
    group.files.push(file);
  }
  const [first] = groups.values();
  if (!parts && groups.size === 1 && isBenchmark(first.files)) {
    const [part1, part2, part3] = first.files;
    parts = { train: [part1], valid: [part2], test: [part3] };
    log.guess(
      `${first.name}: part1, part2 and part3 are the parts for training, validation and test, as in RecBole's benchmark_filename; all are imported`,
      0,
    );
  }
  return {
    name: first?.name ?? baseName(items[0]?.name ?? "dataset"),
    items,
    groups: [...groups.values()],
    parts,
    unread,
  };
}

/** Returns the cells of a table's header; none for an empty file. */
function tableHeader(file: SourceFile): string[] {
  try {
    return headerCells(file) ?? [];
  } catch (error) {
    throw error instanceof DatasetError ? new DatasetError(`${file.name}: ${error.message}`) : error;
  }
}

const partNumber = (name: string): number => Number(partName.exec(stemOf(name))?.[1] ?? 0);
const sameBase = (a: string, b: string): boolean => baseName(a) === baseName(b);

/** `part10` comes after `part2`. */
function byNameAndPart(a: SourceFile, b: SourceFile): number {
  const [left, right] = [baseName(a.name), baseName(b.name)];
  if (left !== right) return left < right ? -1 : 1;
  return partNumber(a.name) - partNumber(b.name) || (a.name < b.name ? -1 : 1);
}

const isBenchmark = (files: readonly SourceFile[]): boolean =>
  files.length === 3 && files.every(({ name }, i) => partNumber(name) === i + 1);
