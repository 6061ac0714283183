import { type EventType, eventTypes } from "../../shared/contracts/event.ts";
import { identifier } from "../../shared/contracts/primitives.ts";
import type { Dataset, DatasetEvent, DatasetItem } from "./dataset.ts";

/** A file of a dataset: its name and its text. */
export interface AtomicFile {
  name: string;
  text: string;
}

const problemsKept = 20;

/** Collects refused rows. */
class Problems {
  readonly lines: string[] = [];
  count = 0;

  add(file: string, line: number, why: string): void {
    this.count++;
    if (this.lines.length < problemsKept) this.lines.push(`${file}, line ${line}: ${why}`);
  }
}

/** Rows of an atomic file by column: tab-separated, the header gives names and types (`user_id:token`). */
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

/** A number within bounds, null where absent; undefined where it is neither. */
function number(text: string | undefined, least: number, most: number): number | null | undefined {
  if (text === undefined) return null;
  const value = Number(text);
  return Number.isFinite(value) && value >= least && value <= most ? value : undefined;
}

/** Columns of `.item` that have a meaning here, with their types; others become attributes. */
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
const known = new Set(itemColumns.map((column) => column.split(":")[0]));

function readItems(file: AtomicFile, problems: Problems): Map<string, DatasetItem> {
  const items = new Map<string, DatasetItem>();
  for (const { line, names, get } of rowsOf(file)) {
    const id = identifier.safeParse(get("item_id"));
    const lat = number(get("lat"), -90, 90);
    const lon = number(get("lon"), -180, 180);
    const price = number(get("price"), 0, 1e9);
    const discount = number(get("discount"), 0, 1);
    const rating = number(get("rating"), 0, 10);
    if (!id.success) problems.add(file.name, line, "item_id is not an identifier");
    else if (lat === undefined || lon === undefined)
      problems.add(file.name, line, "lat or lon is out of range");
    else if (price === undefined) problems.add(file.name, line, "price is not a price");
    else if (discount === undefined) problems.add(file.name, line, "discount is not within 0..1");
    else if (rating === undefined) problems.add(file.name, line, "rating is not within 0..10");
    else {
      const category = get("category")?.slice(0, 128) ?? "unknown";
      const attributes: Record<string, string | number> = {};
      for (const name of names) {
        const value = get(name);
        if (known.has(name) || value === undefined || name.length > 64) continue;
        attributes[name] = Number.isFinite(Number(value)) ? Number(value) : value.slice(0, 1024);
      }
      const placed = lat !== null && lon !== null;
      items.set(id.data, {
        id: id.data,
        title: get("title")?.slice(0, 512) ?? `${category} ${id.data}`,
        category,
        price,
        currency: /^[A-Z]{3}$/.test(get("currency") ?? "") ? (get("currency") ?? null) : null,
        discount: discount ?? 0,
        rating,
        lat: placed ? lat : null,
        lon: placed ? lon : null,
        attributes,
      });
    }
  }
  return items;
}

function readEvents(file: AtomicFile, problems: Problems): DatasetEvent[] {
  const events: DatasetEvent[] = [];
  for (const { line, get } of rowsOf(file)) {
    const userId = identifier.safeParse(get("user_id"));
    const itemId = identifier.safeParse(get("item_id"));
    const type = get("event_type") ?? "purchase";
    const time = number(get("timestamp"), 0, 1e11);
    const lat = number(get("lat"), -90, 90);
    const lon = number(get("lon"), -180, 180);
    if (!userId.success) problems.add(file.name, line, "user_id is not an identifier");
    else if (!itemId.success) problems.add(file.name, line, "item_id is not an identifier");
    else if (!eventTypes.some((each) => each === type))
      problems.add(file.name, line, `event_type "${type}" is unknown`);
    else if (time === undefined) problems.add(file.name, line, "timestamp is not a time in seconds");
    else if (lat === undefined || lon === undefined)
      problems.add(file.name, line, "lat or lon is out of range");
    else
      events.push({
        userId: userId.data,
        itemId: itemId.data,
        type: type as EventType,
        // Without times the order of the file is all that is known: a minute apart.
        time: time ?? 60 * events.length,
        lat: lat !== null && lon !== null ? lat : null,
        lon: lat !== null && lon !== null ? lon : null,
      });
  }
  return events;
}

/** The order of time; equal times stay in the order of the file. */
const inTime = (events: DatasetEvent[]): DatasetEvent[] => events.sort((a, b) => a.time - b.time);

/** Cuts the last `share` of each person's events off. */
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

/**
 * A RecBole dataset from its atomic files: `NAME.inter` (split here by time: the last fifth of each person's events is
 * the test, the last tenth of the rest the validation), or `NAME.train.inter` with `NAME.test.inter` and perhaps
 * `NAME.valid.inter`; `NAME.item` may be missing. Bad rows are counted and reported, good ones kept.
 * Throws where there is no event at all.
 */
export function parseDataset(files: readonly AtomicFile[]): Dataset {
  const problems = new Problems();
  const find = (ending: string): AtomicFile | undefined => files.find(({ name }) => name.endsWith(ending));
  const trainFile = find(".train.inter");
  const single = files.find(({ name }) => /^[^.]+\.inter$/.test(name)) ?? find(".inter");
  const main = trainFile ?? single;
  if (!main) throw new Error("there is no .inter file");
  const name = main.name.replace(/(\.train)?\.inter$/, "");
  const itemFile = find(`${name}.item`) ?? find(".item");
  const items = itemFile ? readItems(itemFile, problems) : new Map<string, DatasetItem>();
  const read = (file: AtomicFile | undefined): DatasetEvent[] =>
    file ? inTime(readEvents(file, problems)) : [];
  let train = read(main);
  let valid = trainFile ? read(find(".valid.inter")) : [];
  let test = trainFile ? read(find(".test.inter")) : [];
  if (!trainFile) [train, test] = splitLast(train, 0.2);
  if (valid.length === 0) [train, valid] = splitLast(train, 0.1);
  if (train.length + valid.length + test.length === 0) throw new Error(`${main.name} holds no usable event`);
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
  return { name, items, train, valid, test, problems: problems.lines, refused: problems.count };
}

/** A dataset as atomic files: what {@link parseDataset} reads. */
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

/** A cell: no value is empty, and tabs and line ends would end the cell. */
const cellOf = (value: string | number | null | undefined): string =>
  value === null || value === undefined ? "" : String(value).replaceAll(/\s/g, " ");

const lineOf = (values: readonly (string | number | null | undefined)[]): string =>
  values.map(cellOf).join("\t");

function writeItems(items: readonly DatasetItem[]): string {
  const attributes = [...new Set(items.flatMap((item) => Object.keys(item.attributes)))];
  const typeOf = (name: string): string =>
    items.some((item) => typeof item.attributes[name] === "string") ? "token" : "float";
  const header = lineOf([...itemColumns, ...attributes.map((name) => `${name}:${typeOf(name)}`)]);
  const lines = items.map((item) =>
    lineOf([
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
    lineOf([event.userId, event.itemId, event.type, event.time, event.lat, event.lon]),
  );
  return [header, ...lines].join("\n");
}
