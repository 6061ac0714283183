import { type EventType, eventTypes } from "../../shared/contracts/event.ts";
import { identifier } from "../../shared/contracts/primitives.ts";
import type { Dataset, DatasetEvent, DatasetItem } from "./dataset.ts";

/** A RecBole atomic file: its name and its text. */
export interface AtomicFile {
  name: string;
  text: string;
}

/** Rejected rows that are reported with their reason. */
const maxProblemLines = 20;

/** Collects rejected rows. */
class RowProblems {
  readonly lines: string[] = [];
  count = 0;

  add(file: string, line: number, reason: string): void {
    this.count++;
    if (this.lines.length < maxProblemLines) this.lines.push(`${file}, line ${line}: ${reason}`);
  }
}

/** Yields the rows of an atomic file: tab-separated, with names and types in the header (`user_id:token`). */
function* rowsOf(
  file: AtomicFile,
): Generator<{ line: number; get(name: string): string | undefined; names: string[] }> {
  const lines = file.text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const names = lines[0].split("\t").map((column) => column.split(":")[0].trim());
  for (let i = 1; i < lines.length; i++) {
    if (lines[i] === "") continue;
    const cells = lines[i].split("\t");
    yield {
      line: i + 1,
      names,
      get: (name) => {
        const value = cells[names.indexOf(name)];
        return value === undefined || value === "" ? undefined : value;
      },
    };
  }
}

/** Returns a number from `min` to `max`; null if the text is missing, undefined if it is invalid. */
function parseNumber(text: string | undefined, min: number, max: number): number | null | undefined {
  if (text === undefined) return null;
  const value = Number(text);
  return Number.isFinite(value) && value >= min && value <= max ? value : undefined;
}

/** Columns of `.item` files that become product fields, with their types. Other columns become attributes. */
const itemColumns = [
  "item_id:token",
  "title:token",
  "category:token",
  "price:float",
  "currency:token",
  "discount:float",
  "rating:float",
  "lat:float",
  "lon:float",
] as const;
/** Largest accepted price, and largest accepted time in seconds, which excludes milliseconds. */
const maxPrice = 1e9;
const maxTime = 1e11;
/** Largest lengths of texts, in characters; longer texts are cut, and attributes with longer names are left out. */
const maxCategoryLength = 128;
const maxTitleLength = 512;
const maxAttributeNameLength = 64;
const maxAttributeLength = 1024;
const knownColumns = new Set(itemColumns.map((column) => column.split(":")[0]));

function readItems(file: AtomicFile, problems: RowProblems): Map<string, DatasetItem> {
  const items = new Map<string, DatasetItem>();
  for (const { line, names, get } of rowsOf(file)) {
    const id = identifier.safeParse(get("item_id"));
    const lat = parseNumber(get("lat"), -90, 90);
    const lon = parseNumber(get("lon"), -180, 180);
    const price = parseNumber(get("price"), 0, maxPrice);
    const discount = parseNumber(get("discount"), 0, 1);
    const rating = parseNumber(get("rating"), 0, 10);
    if (!id.success) problems.add(file.name, line, "item_id is not a valid identifier");
    else if (lat === undefined || lon === undefined)
      problems.add(file.name, line, "lat must be a number from -90 to 90, and lon from -180 to 180");
    else if (price === undefined)
      problems.add(file.name, line, `price must be a number from 0 to ${maxPrice}`);
    else if (discount === undefined) problems.add(file.name, line, "discount must be a number from 0 to 1");
    else if (rating === undefined) problems.add(file.name, line, "rating must be a number from 0 to 10");
    else {
      const category = get("category")?.slice(0, maxCategoryLength) ?? "unknown";
      const attributes: Record<string, string | number> = {};
      for (const name of names) {
        const value = get(name);
        if (knownColumns.has(name) || value === undefined || name.length > maxAttributeNameLength) continue;
        attributes[name] = Number.isFinite(Number(value))
          ? Number(value)
          : value.slice(0, maxAttributeLength);
      }
      const hasLocation = lat !== null && lon !== null;
      items.set(id.data, {
        id: id.data,
        title: get("title")?.slice(0, maxTitleLength) ?? `${category} ${id.data}`,
        category,
        price,
        currency: /^[A-Z]{3}$/.test(get("currency") ?? "") ? (get("currency") ?? null) : null,
        discount: discount ?? 0,
        rating,
        lat: hasLocation ? lat : null,
        lon: hasLocation ? lon : null,
        attributes,
      });
    }
  }
  return items;
}

/** Assumed seconds between two rows of a file without times. */
const secondsBetweenRows = 60;

function readEvents(file: AtomicFile, problems: RowProblems): DatasetEvent[] {
  const events: DatasetEvent[] = [];
  for (const { line, get } of rowsOf(file)) {
    const userId = identifier.safeParse(get("user_id"));
    const itemId = identifier.safeParse(get("item_id"));
    const type = get("event_type") ?? "purchase";
    const time = parseNumber(get("timestamp"), 0, maxTime);
    const lat = parseNumber(get("lat"), -90, 90);
    const lon = parseNumber(get("lon"), -180, 180);
    if (!userId.success) problems.add(file.name, line, "user_id is not a valid identifier");
    else if (!itemId.success) problems.add(file.name, line, "item_id is not a valid identifier");
    else if (!eventTypes.some((each) => each === type))
      problems.add(file.name, line, `event_type "${type}" is unknown`);
    else if (time === undefined) problems.add(file.name, line, "timestamp must be seconds since the epoch");
    else if (lat === undefined || lon === undefined)
      problems.add(file.name, line, "lat must be a number from -90 to 90, and lon from -180 to 180");
    else
      events.push({
        userId: userId.data,
        itemId: itemId.data,
        type: type as EventType,
        // Without times, the rows count as one minute apart in file order.
        time: time ?? secondsBetweenRows * events.length,
        lat: lat !== null && lon !== null ? lat : null,
        lon: lat !== null && lon !== null ? lon : null,
      });
  }
  return events;
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
 * Parses a RecBole dataset from its atomic files. Events come from `NAME.inter`, or from `NAME.train.inter`,
 * `NAME.test.inter` and optionally `NAME.valid.inter`. The function splits missing parts off by time: the last fifth of
 * each user's events is the test part, and the last tenth of the rest is the validation part. `NAME.item` is optional.
 * Invalid rows are reported and left out. Throws if no valid event remains.
 */
export function parseDataset(files: readonly AtomicFile[]): Dataset {
  const problems = new RowProblems();
  const find = (ending: string): AtomicFile | undefined => files.find(({ name }) => name.endsWith(ending));
  const trainFile = find(".train.inter");
  const single = files.find(({ name }) => /^[^.]+\.inter$/.test(name)) ?? find(".inter");
  const main = trainFile ?? single;
  if (!main) throw new Error("the dataset has no .inter file");
  const name = main.name.replace(/(\.train)?\.inter$/, "");
  const itemFile = find(`${name}.item`) ?? find(".item");
  const items = itemFile ? readItems(itemFile, problems) : new Map<string, DatasetItem>();
  const read = (file: AtomicFile | undefined): DatasetEvent[] =>
    file ? sortByTime(readEvents(file, problems)) : [];
  let train = read(main);
  let valid = trainFile ? read(find(".valid.inter")) : [];
  let test = trainFile ? read(find(".test.inter")) : [];
  if (!trainFile) [train, test] = splitLast(train, testShare);
  if (valid.length === 0) [train, valid] = splitLast(train, validationShare);
  if (train.length + valid.length + test.length === 0) throw new Error(`${main.name} has no valid event`);
  for (const event of [...train, ...valid, ...test])
    if (!items.has(event.itemId))
      items.set(event.itemId, {
        id: event.itemId,
        title: `unknown ${event.itemId}`,
        category: "unknown",
        price: null,
        currency: null,
        discount: 0,
        rating: null,
        lat: null,
        lon: null,
        attributes: {},
      });
  return { name, items, train, valid, test, problems: problems.lines, rejectedRows: problems.count };
}

/** Returns a dataset as atomic files, which {@link parseDataset} reads. */
export function writeDataset(dataset: Dataset): AtomicFile[] {
  const parts = { train: dataset.train, valid: dataset.valid, test: dataset.test };
  return [
    { name: `${dataset.name}.item`, text: writeItems([...dataset.items.values()]) },
    ...Object.entries(parts).map(([part, events]) => ({
      name: `${dataset.name}.${part}.inter`,
      text: writeEvents(events),
    })),
  ];
}

/**
 * Returns a value as a table cell: null is empty, and white space becomes a space, since tabs and newlines end a cell.
 */
const formatCell = (value: string | number | null | undefined): string =>
  value === null || value === undefined ? "" : String(value).replaceAll(/\s/g, " ");

const formatRow = (values: readonly (string | number | null | undefined)[]): string =>
  values.map(formatCell).join("\t");

function writeItems(items: readonly DatasetItem[]): string {
  const attributes = [...new Set(items.flatMap((item) => Object.keys(item.attributes)))];
  const typeOf = (name: string): string =>
    items.some((item) => typeof item.attributes[name] === "string") ? "token" : "float";
  const header = formatRow([...itemColumns, ...attributes.map((name) => `${name}:${typeOf(name)}`)]);
  const lines = items.map((item) =>
    formatRow([
      item.id,
      item.title,
      item.category,
      item.price,
      item.currency,
      item.discount,
      item.rating,
      item.lat,
      item.lon,
      ...attributes.map((name) => item.attributes[name]),
    ]),
  );
  return [header, ...lines].join("\n");
}

function writeEvents(events: readonly DatasetEvent[]): string {
  const header = "user_id:token\titem_id:token\tevent_type:token\ttimestamp:float\tlat:float\tlon:float";
  const lines = events.map((event) =>
    formatRow([event.userId, event.itemId, event.type, event.time, event.lat, event.lon]),
  );
  return [header, ...lines].join("\n");
}
