import type { Dataset, DatasetEvent, DatasetItem } from "./dataset.ts";
import { unquoteCell } from "./split-rows.ts";

/** A file of a dataset: its name and its text. */
export interface TextFile {
  name: string;
  text: string;
}

/** Columns of `.item` files that hold product fields, with their types. Other columns hold attributes. */
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

/** Returns a dataset as atomic files, which {@link readFiles} reads. */
export function writeDataset(dataset: Dataset): TextFile[] {
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
function formatCell(value: string | number | null | undefined): string {
  const text = value === null || value === undefined ? "" : String(value).replaceAll(/\s/g, " ");
  // A text that the reader would take for a quoted cell is quoted, so that it comes back unchanged.
  return unquoteCell(text) === text ? text : `"${text.replaceAll('"', '""')}"`;
}

const formatRow = (values: readonly (string | number | null | undefined)[]): string =>
  values.map(formatCell).join("\t");

function writeItems(items: readonly DatasetItem[]): string {
  const attributes = [...new Set(items.flatMap((item) => Object.keys(item.attributes)))];
  const typeOf = (name: string): string =>
    items.some((item) => typeof item.attributes[name] === "string") ? "token" : "float";
  // These columns are written only where a product has them.
  const hasUnavailable = items.some(({ available }) => available === false);
  const hasGroups = items.some(({ groupId }) => groupId !== undefined);
  const header = formatRow([
    ...itemColumns,
    ...(hasUnavailable ? ["available:token"] : []),
    ...(hasGroups ? ["group_id:token"] : []),
    ...attributes.map((name) => `${name}:${typeOf(name)}`),
  ]);
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
      ...(hasUnavailable ? [item.available === false ? "false" : "true"] : []),
      ...(hasGroups ? [item.groupId] : []),
      ...attributes.map((name) => item.attributes[name]),
    ]),
  );
  return [header, ...lines].join("\n");
}

function writeEvents(events: readonly DatasetEvent[]): string {
  const columns = "user_id:token\titem_id:token\tevent_type:token\ttimestamp:float\tlat:float\tlon:float";
  // Most datasets do not say what events were worth.
  const hasWorth = events.some(({ value, quantity }) => value !== undefined || quantity !== undefined);
  const header = hasWorth ? `${columns}\tvalue:float\tcurrency:token\tquantity:float` : columns;
  const lines = events.map((event) =>
    formatRow([
      ...[event.userId, event.itemId, event.type, event.time, event.lat, event.lon],
      ...(hasWorth ? [event.value, event.currency, event.quantity] : []),
    ]),
  );
  return [header, ...lines].join("\n");
}
