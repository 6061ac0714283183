import { type EventType, eventTypes } from "../../shared/contracts/event.ts";
import { maxAmount } from "../../shared/contracts/minor-units.ts";
import { dateOfDigits, parseTimeCell } from "./cell-values.ts";
import { columnOf, type Header, isLabel } from "./columns.ts";
import type { DatasetEvent } from "./dataset.ts";
import type { ProductDescription } from "./descriptions-of-events.ts";
import { readCategories, readCurrency, readPrice, readTitle, requiredId } from "./read-items.ts";
import type { ReadLog } from "./read-report.ts";
import type { TableFile, TableRow } from "./table-file.ts";

/** How events are read. */
export interface EventOptions {
  /** Type of a row without one. */
  eventType?: EventType;
  /** A row with a rating below this is left out. */
  minRating?: number;
  /** Seconds since the epoch; an event more than five minutes later is refused. */
  now?: number;
}

/** Type of a row without one, unless a type is given. */
export const defaultEventType: EventType = "purchase";

/** Names that other tools give the types of event. */
const typeAliases: ReadonlyMap<string, EventType> = new Map([
  ["pageview", "view"],
  ["page_view", "view"],
  ["product_view", "view"],
  ["view_item", "view"],
  ["addtocart", "cart"],
  ["add_to_cart", "cart"],
  ["transaction", "purchase"],
  ["buy", "purchase"],
  ["order", "purchase"],
]);

/** Assumed seconds between two rows of a file without times. */
const secondsBetweenRows = 60;
/** An event may be this far in the future, in seconds, as in the API: clocks differ. */
const maxFutureSeconds = 300;
/** Times of the first day of 1970 stand for a missing time, in a dataset with times after 1973. */
const firstDaySeconds = 86_400;
const realTimeSeconds = 1e8;

/** What receives the products that events describe. */
interface ProductListener {
  productsLieThere: boolean;
  onPlace(place: NamedPlace): void;
  onDescription(description: ProductDescription): void;
}

/** A row whose time may be no number of seconds. */
interface DoubtfulRow {
  event: DatasetEvent;
  line: number;
  raw: string;
}

/** A place that an event names for its product. */
export interface NamedPlace {
  itemId: string;
  lat: number;
  lon: number;
}

/**
 * Reads the events of a file in file order. A row is refused if its user, product or type is wrong, or if the file has
 * a column of times and the row has no right time. `onPlace` receives the places of products: those in the columns
 * `item_lat` and `item_lon`, or with `productsLieThere` the places of the events. `onDescription` receives the titles and
 * categories of products.
 */
export function readEvents(
  table: TableFile,
  options: EventOptions,
  log: ReadLog,
  { productsLieThere, onPlace, onDescription }: ProductListener,
): DatasetEvent[] {
  const { header, report } = table;
  const events: DatasetEvent[] = [];
  const firstDay: DoubtfulRow[] = [];
  const compactDates: DoubtfulRow[] = [];
  const timed = header.byField.has("timestamp");
  const minRating = options.minRating ?? (isLabel(columnOf(header, "rating")) ? 1 : undefined);
  let newest = 0;
  const [itemLat, itemLon] = [columnOf(header, "item_lat"), columnOf(header, "item_lon")];
  const [titleColumn, categoryColumn] = [columnOf(header, "item_title"), columnOf(header, "item_category")];
  const describes = titleColumn !== undefined || categoryColumn !== undefined;
  for (const row of table.rows) {
    const read = readEvent(row, header, options, events.length, report.name, log);
    if (typeof read === "string") {
      table.refuse(row, read);
      continue;
    }
    if (isBelow(row, header, read.type, minRating)) {
      log.belowMinRating++;
      continue;
    }
    const { itemId, lat, lon } = read;
    const place = row.place(itemLat, itemLon);
    if (place) onPlace({ itemId, ...place });
    else if (productsLieThere && lat !== null && lon !== null) onPlace({ itemId, lat, lon });
    if (describes)
      onDescription({
        itemId,
        title: readTitle(row, titleColumn, report.name, log),
        category: readCategories(row, categoryColumn, report.name, log)[0] ?? null,
      });
    const doubtful = { event: read, line: row.line, raw: row.raw };
    if (timed && read.time < firstDaySeconds) firstDay.push(doubtful);
    if (timed && dateOfDigits(read.time) !== null) compactDates.push(doubtful);
    newest = Math.max(newest, read.time);
    events.push(read);
  }
  const left = new Set<DatasetEvent>();
  const refuse = (rows: readonly DoubtfulRow[], reason: string): void => {
    for (const row of rows) {
      table.refuse(row, reason);
      left.add(row.event);
    }
  };
  if (newest > realTimeSeconds) {
    refuse(firstDay, "is of 1970-01-01, which stands for a missing time");
    refuse(compactDates, "has a date without dashes beside times in seconds; write it as 2026-01-31");
  } else if (compactDates.length === events.length) {
    for (const { event } of compactDates) event.time = dateOfDigits(event.time) ?? event.time;
    refuse(
      compactDates.filter(({ event }) => options.now !== undefined && event.time > options.now),
      "has a date in the future",
    );
    log.guess(`${report.name}: times such as 20260131 are dates in UTC`, events.length - left.size);
  }
  const kept = left.size === 0 ? events : events.filter((event) => !left.has(event));
  noteAssumptions(header, options, kept.length, report.name, log);
  report.accepted = kept.length;
  return kept;
}

/** Returns the event of a row, or why the row is refused. */
function readEvent(
  row: TableRow,
  header: Header,
  options: EventOptions,
  index: number,
  file: string,
  log: ReadLog,
): DatasetEvent | string {
  const userId = requiredId(row, columnOf(header, "user_id"), file, log);
  if ("problem" in userId) return userId.problem;
  const itemId = requiredId(row, columnOf(header, "item_id"), file, log);
  if ("problem" in itemId) return itemId.problem;
  const type = readType(row, header, options, file, log);
  if ("problem" in type) return type.problem;
  const time = readTime(row, header, options, index, file, log);
  if ("problem" in time) return time.problem;
  const place = row.place(columnOf(header, "lat"), columnOf(header, "lon"));
  return {
    userId: userId.value,
    itemId: itemId.value,
    type: type.value,
    time: time.value,
    lat: place?.lat ?? null,
    lon: place?.lon ?? null,
    ...readWorth(row, header, file, log),
  };
}

/** Units of a product that one event may concern, as in the API. */
const maxQuantity = 100_000;

/** Returns what an event was worth. A value without a currency is left out, and a number of units that is not whole. */
function readWorth(
  row: TableRow,
  header: Header,
  file: string,
  log: ReadLog,
): Pick<DatasetEvent, "value" | "currency" | "quantity"> {
  const [valueColumn, quantityColumn] = [columnOf(header, "value"), columnOf(header, "quantity")];
  const units = row.number(quantityColumn, 1, maxQuantity);
  const isWhole = units !== null && Number.isInteger(units);
  if (units !== null && !isWhole && quantityColumn)
    row.leaveOut(quantityColumn, String(units), "must be a whole number");
  const quantity = isWhole ? { quantity: units } : {};
  const amount = row.number(valueColumn, 0, maxAmount);
  if (amount === null || !valueColumn) return quantity;
  const currency = readCurrency(row, columnOf(header, "currency"), file, log);
  if (currency === null) {
    row.leaveOut(valueColumn, String(amount), "has no currency beside it");
    return quantity;
  }
  const value = readPrice(row, valueColumn, currency, amount);
  return value === null ? quantity : { value, currency, ...quantity };
}

type Required<T> = { value: T } | { problem: string };

function readType(
  row: TableRow,
  header: Header,
  { eventType = defaultEventType }: EventOptions,
  file: string,
  log: ReadLog,
): Required<EventType> {
  const column = columnOf(header, "event_type");
  const text = row.cell(column)?.trim();
  if (text === undefined) {
    if (column) log.guess(`${file}: rows without a type count as ${eventType}`);
    return { value: eventType };
  }
  const exact = eventTypes.find((each) => each === text.toLowerCase());
  if (exact) return { value: exact };
  const alias = typeAliases.get(text.toLowerCase());
  if (!alias)
    return {
      problem: `${column?.name} must be one of ${eventTypes.join(", ")}; got ${JSON.stringify(text)}`,
    };
  log.guess(`${file}: type ${text} read as ${alias}`);
  return { value: alias };
}

function readTime(
  row: TableRow,
  header: Header,
  { now }: EventOptions,
  index: number,
  file: string,
  log: ReadLog,
): Required<number> {
  const column = columnOf(header, "timestamp");
  // Without times, the rows count as one minute apart in file order.
  if (!column) return { value: secondsBetweenRows * index };
  const text = row.cell(column);
  if (text === undefined) return { problem: `${column.name} is empty, so the event has no time` };
  const parsed = parseTimeCell(text);
  const found = (problem: string) => ({ problem: `${column.name} ${problem}; got ${JSON.stringify(text)}` });
  if ("problem" in parsed) return found(parsed.problem);
  const { time, form } = parsed.value;
  if (now !== undefined && time > now + maxFutureSeconds)
    return found(`is in the future (${new Date(time * 1000).toISOString()})`);
  if (form === "date without offset") log.guess(`${file}: ${column.name} has no time zone and counts as UTC`);
  else if (form !== "seconds" && form !== "date") log.guess(`${file}: ${column.name} is in ${form}`);
  return { value: time };
}

function isBelow(row: TableRow, header: Header, type: EventType, minRating: number | undefined): boolean {
  if (minRating === undefined || type === "dismiss") return false;
  const rating = row.number(columnOf(header, "rating"));
  return rating !== null && rating < minRating;
}

function noteAssumptions(
  header: Header,
  { eventType, minRating }: EventOptions,
  rows: number,
  file: string,
  log: ReadLog,
): void {
  if (rows === 0) return;
  if (!header.byField.has("event_type") && eventType === undefined)
    log.guess(
      `${file}: no column of types; rows count as ${defaultEventType}. Another type: --event-type TYPE`,
      rows,
    );
  if (!header.byField.has("timestamp"))
    log.guess(`${file}: no column of times; rows count as one minute apart, in file order`, rows);
  const rating = columnOf(header, "rating");
  if (rating && minRating === undefined)
    if (isLabel(rating))
      log.guess(`${file}: rows whose ${rating.name} is below 1 are no events and are left out`, 0);
    else
      log.note(
        `${file}: column ${rating.name} is a rating and is not used. --rating-min N leaves out rows with a lower one`,
      );
  if (!rating && minRating !== undefined)
    log.note(`${file}: --rating-min changes nothing here, since no column is a rating`);
}
