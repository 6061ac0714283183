import type { ColumnMap, Header } from "./columns.ts";
import { checkMap, columnOf, isPlaceName } from "./columns.ts";
import type { Dataset, DatasetEvent, DatasetItem } from "./dataset.ts";
import { DatasetError } from "./dataset-error.ts";
import { DescriptionsOfEvents } from "./descriptions-of-events.ts";
import { mergeGroups } from "./merge-groups.ts";
import { PlacesOfEvents } from "./places-of-events.ts";
import { type EventOptions, readEvents } from "./read-events.ts";
import { readItems } from "./read-items.ts";
import { type FileReport, type ReadListener, ReadLog, type ReadReport } from "./read-report.ts";
import { type SelectedFiles, selectFiles } from "./select-files.ts";
import { openTable, type SourceFile, type TableOptions } from "./table-file.ts";

/** Options of {@link readFiles}. */
export interface ReadOptions extends EventOptions, TableOptions, ReadListener {
  /** Whether a dataset without events is refused; true by default. */
  needsEvents?: boolean;
}

/** A dataset, and what its reader found. */
export interface ReadDataset {
  dataset: Dataset;
  report: ReadReport;
}

/** Sorts events by time, in place; events with equal times stay in file order. */
const sortByTime = (events: DatasetEvent[]): DatasetEvent[] => events.sort((a, b) => a.time - b.time);

/** Splits off the last `share` (0 to 1) of each user's events, and returns the first and the last part. */
function splitLast(events: DatasetEvent[], share: number): [DatasetEvent[], DatasetEvent[]] {
  const counts = new Map<string, number>();
  for (const { userId } of events) counts.set(userId, (counts.get(userId) ?? 0) + 1);
  const seen = new Map<string, number>();
  const first: DatasetEvent[] = [];
  const last: DatasetEvent[] = [];
  for (const event of events) {
    const index = seen.get(event.userId) ?? 0;
    seen.set(event.userId, index + 1);
    const count = counts.get(event.userId) ?? 0;
    (index < count - Math.floor(count * share) ? first : last).push(event);
  }
  return [first, last];
}

/** Share of each user's events in the test part, and share of the rest in the validation part. */
const testShare = 0.2;
const validationShare = 0.1;

/**
 * Reads a dataset from its files: atomic files of RecBole (`NAME.inter` and `NAME.item`, tab-separated, with types in
 * the header), or CSV files. Events come from `NAME.inter`, from parts (`NAME.part1.inter` and so on), or from
 * `NAME.train.inter`, `NAME.test.inter` and optionally `NAME.valid.inter`. The function splits missing parts off by
 * time: the last fifth of each user's events is the test part, and the last tenth of the rest is the validation part.
 * Products are optional.
 *
 * A wrong row is refused and a wrong value is absent; both are reported. Throws a {@link DatasetError} if a file cannot
 * be read at all, and if no row of all events or of all products is accepted.
 */
export function readFiles(files: readonly SourceFile[], options: ReadOptions = {}): ReadDataset {
  const { map = new Map(), needsEvents = true } = options;
  checkMap(map);
  const log = new ReadLog(options);
  const selected = selectFiles(files, map, log);
  if (selected.groups.length === 0 && (needsEvents || selected.items.length === 0))
    throw new DatasetError(
      `${needsEvents ? "the dataset has no .inter file and no CSV file of events" : "there is no file of events or products"}${foundText(selected)}`,
    );
  const items = new Map<string, DatasetItem>();
  for (const file of selected.items) readItems(openTable(file, "products", options, log), items, log);
  requireAccepted(log, "products");

  const places = new PlacesOfEvents();
  const descriptions = new DescriptionsOfEvents();
  const catalogHasPlaces = [...items.values()].some(({ lat }) => lat !== null);
  const times = { given: "", missing: "" };
  const read = (eventFiles: readonly SourceFile[]): DatasetEvent[] =>
    eventFiles.flatMap((file) => {
      const table = openTable(file, "events", options, log);
      times[table.header.byField.has("timestamp") ? "given" : "missing"] ||= file.name;
      const productsLieThere = !catalogHasPlaces && namesPlaces(table.header, map);
      return readEvents(table, options, log, {
        productsLieThere,
        onPlace: (place) => places.add(place),
        onDescription: (description) => descriptions.add(description),
      });
    });
  let [train, valid, test]: DatasetEvent[][] = [[], [], []];
  if (selected.parts) {
    train = sortByTime(read(selected.parts.train));
    valid = sortByTime(read(selected.parts.valid));
    test = sortByTime(read(selected.parts.test));
  } else if (selected.groups.length > 0) {
    const merged = mergeGroups(selected.groups.map((group) => read(group.files)));
    log.repeated = merged.repeated;
    [train, test] = splitLast(sortByTime(merged.events), testShare);
  }
  // An invented time cannot stand beside a real one.
  if (times.given !== "" && times.missing !== "")
    throw new DatasetError(
      `${times.missing} has no column of times, and ${times.given} has one. Name it with --map COLUMN=timestamp, or import ${times.missing} alone`,
    );
  const timed = times.missing === "";
  if (selected.groups.length > 0) requireAccepted(log, "events");
  checkMapped(log, map);
  if (log.files.every(({ rows }) => rows === 0))
    throw new DatasetError(
      `there is no row below the header of ${log.files.map(({ name }) => name).join(", ")}`,
    );
  if (valid.length === 0) [train, valid] = splitLast(train, validationShare);
  if (needsEvents && train.length + valid.length + test.length === 0)
    throw new DatasetError(`${selected.groups[0].files[0].name} has no valid event`);
  const derivedProducts = addUnlistedProducts(items, [...train, ...valid, ...test]);
  descriptions.applyTo(items, derivedProducts, log);
  places.applyTo(items, log);
  return {
    dataset: {
      name: selected.name,
      items,
      train,
      valid,
      test,
      problems: log.firstRefused.map(({ file, line, reason }) => `${file}, line ${line}: ${reason}`),
      rejectedRows: log.refused,
    },
    report: log.report({ timed, derivedProducts }),
  };
}

/** Files that an error lists. */
const maxListedFiles = 10;

/** Returns what was found where nothing can be read, as the end of a sentence. */
function foundText({ unread, items }: SelectedFiles): string {
  const found = [...unread, ...items.map(({ name }) => `${name} (products)`)];
  if (found.length === 0) return "; the folder has no file of data";
  const more = found.length > maxListedFiles ? ` and ${found.length - maxListedFiles} more` : "";
  return `. Found: ${found.slice(0, maxListedFiles).join("; ")}${more}`;
}

/** Returns whether event files have the places of products, in columns named as datasets of check-ins name them. */
function namesPlaces(header: Header, map: ColumnMap): boolean {
  const lat = columnOf(header, "lat");
  return lat !== undefined && isPlaceName(lat.name) && !map.has(lat.name);
}

/** Throws if files of a kind have rows of which none was accepted. */
function requireAccepted(log: ReadLog, kind: "events" | "products"): void {
  const files = log.files.filter((file) => file.kind === kind && file.rows > 0);
  if (files.length === 0 || files.some(({ accepted }) => accepted > 0)) return;
  const first = log.firstRefused.find(({ file }) => files.some(({ name }) => name === file));
  throw new DatasetError(
    first
      ? `no row of ${kind} was accepted. The first was ${first.file}, line ${first.line}: ${first.reason}`
      : `no row of ${kind} was accepted: all ${log.belowMinRating} have a rating below the minimum`,
  );
}

/** Throws if a user maps a column that no file has. */
function checkMapped(log: ReadLog, map: ColumnMap): void {
  const columnsOf = (file: FileReport): string[] => [
    ...Object.values(file.columns),
    ...file.attributes,
    ...file.unread,
  ];
  for (const [theirs, ours] of map) {
    if (log.files.some(({ columns }) => columns[ours] === theirs)) continue;
    const rival = log.files.find(
      (file) => columnsOf(file).includes(theirs) && map.get(file.columns[ours]) === ours,
    );
    throw new DatasetError(
      rival
        ? `--map ${theirs}=${ours}: ${rival.name} has ${ours} already, by --map ${rival.columns[ours]}=${ours}.`
        : `--map ${theirs}=${ours}: no file has a column ${theirs} that can be ${ours}. The columns are ${[...new Set(log.files.flatMap(columnsOf))].join(", ")}.`,
    );
  }
}

/** Adds the products that occur in events only, without data. Returns their ids. */
function addUnlistedProducts(items: Map<string, DatasetItem>, events: readonly DatasetEvent[]): Set<string> {
  const added = new Set<string>();
  for (const { itemId: id } of events)
    if (!items.has(id)) {
      added.add(id);
      items.set(id, {
        id,
        title: `unknown ${id}`,
        category: "unknown",
        price: null,
        currency: null,
        discount: 0,
        rating: null,
        lat: null,
        lon: null,
        attributes: {},
      });
    }
  return added;
}

/** Reads a dataset, without the report. See {@link readFiles}. */
export const parseDataset = (files: readonly SourceFile[]): Dataset => readFiles(files).dataset;
