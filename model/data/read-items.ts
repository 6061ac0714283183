import { excessDigits } from "../../shared/contracts/excess-digits.ts";
import { maxAmount } from "../../shared/contracts/minor-units.ts";
import { identifier } from "../../shared/contracts/primitives.ts";
import { maxCategories } from "../../shared/contracts/product-details.ts";
import { listedCategories, parseAvailable, parseFloatCell } from "./cell-values.ts";
import { type Column, columnOf, type Header, normalizeName } from "./columns.ts";
import type { DatasetItem } from "./dataset.ts";
import { readDetails } from "./read-details.ts";
import type { ReadLog } from "./read-report.ts";
import type { TableFile, TableRow } from "./table-file.ts";

/** Largest lengths of texts, in characters; longer texts are cut, and attributes with longer names are left out. */
const maxCategoryLength = 128;
const maxTitleLength = 512;
const maxAttributeNameLength = 64;
const maxAttributeLength = 1024;

/** Names of columns that hold a list of categories, of which the first is the product's main one. */
const listNames = new Set(["categories", "genre", "genres", "class"]);
/** Returns whether a column of categories holds a list. A `type` is one only where its type says so. */
const holdsList = ({ name, type }: Column): boolean =>
  listNames.has(normalizeName(name)) || (normalizeName(name) === "type" && type === "token_seq");

/**
 * Adds the products of a file to `items`. A row whose id is missing or wrong is refused. A value that cannot be read is
 * absent, and reported. A later row replaces an earlier one with the same id.
 */
export function readItems(table: TableFile, items: Map<string, DatasetItem>, log: ReadLog): void {
  const { header, report } = table;
  const attributes = attributeColumns(header, report.name, log);
  for (const row of table.rows) {
    const idColumn = columnOf(header, "item_id");
    const id = requiredId(row, idColumn, report.name, log);
    if ("problem" in id) {
      table.refuse(row, id.problem);
      continue;
    }
    if (items.has(id.value)) log.change(`${report.name}: products with a row before it; the last row counts`);
    items.set(id.value, readItem(row, id.value, header, attributes, report.name, log));
    report.accepted++;
  }
}

/** Returns the id in a cell, without spaces around it, or why the row has none. */
export function requiredId(
  row: TableRow,
  column: Column | undefined,
  file: string,
  log: ReadLog,
): { value: string } | { problem: string } {
  const name = column?.name ?? "";
  const text = row.cell(column);
  if (text === undefined) return { problem: `${name} is empty` };
  if (!text.isWellFormed())
    return { problem: `${name} holds bytes that are not valid in the encoding of the file` };
  const trimmed = text.trim();
  const parsed = identifier.safeParse(trimmed);
  if (!parsed.success) return { problem: `${name} ${parsed.error.issues[0]?.message ?? "is no identifier"}` };
  if (trimmed !== text) log.change(`${file}: spaces around ${name} removed`);
  return { value: parsed.data };
}

function attributeColumns(header: Header, file: string, log: ReadLog): Column[] {
  const { others } = header;
  for (const { name } of others)
    if (name.length > maxAttributeNameLength)
      log.change(`${file}: column ${name} left out: its name is longer than ${maxAttributeNameLength}`, 0);
  const usable = others.filter(({ name }) => name.length <= maxAttributeNameLength);
  const category = columnOf(header, "category");
  // A list of categories is an attribute too, as the file writes it.
  return category && holdsList(category) ? [...usable, category] : usable;
}

function readItem(
  row: TableRow,
  id: string,
  header: Header,
  attributeColumns: readonly Column[],
  file: string,
  log: ReadLog,
): DatasetItem {
  const column = (field: Parameters<typeof columnOf>[1]): Column | undefined => columnOf(header, field);
  const categories = readCategories(row, column("category"), file, log);
  const category = categories[0] ?? null;
  const title = readTitle(row, column("title"), file, log);
  const place = row.place(column("lat"), column("lon"));
  const available = row.text(column("available"));
  const { amount, currency } = readMoney(row, header, file, log);
  const groupId = readGroup(row, column("group_id"));
  const item: DatasetItem = {
    id,
    title: title ?? `${category ?? "unknown"} ${id}`,
    category: category ?? "unknown",
    price: amount,
    currency,
    discount: row.number(column("discount"), 0, 1) ?? 0,
    rating: row.number(column("rating"), 0, 10),
    lat: place?.lat ?? null,
    lon: place?.lon ?? null,
    attributes: {},
    ...(groupId === null ? {} : { groupId }),
  };
  if (title === null) log.guess(`${file}: products without a title are named by category and id`);
  const availableColumn = column("available");
  if (available !== null && availableColumn) {
    const parsed = parseAvailable(available);
    if ("problem" in parsed) row.leaveOut(availableColumn, available, parsed.problem);
    else if (!parsed.value) item.available = false;
  }
  const details = {
    ...readDetails(row, header),
    ...(categories.length > 1 ? { categories } : {}),
  };
  if (Object.keys(details).length > 0) item.details = details;
  for (const each of attributeColumns) {
    const value = readAttribute(row, each);
    if (value !== null)
      item.attributes[each.name] =
        typeof value === "string"
          ? cut(value, maxAttributeLength, `attribute ${each.name}`, file, log)
          : value;
  }
  return item;
}

/** Returns a text with at most `length` characters. */
function cut(text: string, length: number, name: string, file: string, log: ReadLog): string {
  if (text.length <= length) return text;
  log.change(`${file}: ${name} cut to ${length} characters`);
  // Half of a character outside the basic plane goes too.
  return text.slice(0, length).replace(/[\uD800-\uDBFF]$/, "");
}

/** Returns the title in a cell, or null. */
export function readTitle(
  row: TableRow,
  column: Column | undefined,
  file: string,
  log: ReadLog,
): string | null {
  const text = row.text(column);
  return text === null ? null : cut(text, maxTitleLength, "title", file, log);
}

/**
 * Returns the categories in a cell, the main one first: all of a list, as many as a product may have. Empty if the cell has
 * none.
 */
export function readCategories(
  row: TableRow,
  column: Column | undefined,
  file: string,
  log: ReadLog,
): string[] {
  const text = row.text(column);
  if (text === null || column === undefined) return [];
  const isList = holdsList(column);
  const words = column.type === "token_seq" && normalizeName(column.name) !== "categories";
  const names = isList ? listedCategories(text, words) : [text];
  if (names.length > 1) log.guess(`${file}: the first of ${column.name} is the main category`);
  if (names.length > maxCategories)
    log.change(`${file}: ${column.name} cut to the first ${maxCategories} categories`);
  const categories = names
    .slice(0, maxCategories)
    .map((name) => cut(name, maxCategoryLength, "category", file, log));
  return [...new Set(categories)];
}

/** An amount with the ISO 4217 code of its currency, as product feeds write it: `15.00 USD`. */
const amountWithCode = /^\s*(\S+)\s+([A-Z]{3})\s*$/;

/** Returns the price of a product. Only a cell without a declared type, in a file without currencies, may hold both. */
function readMoney(
  row: TableRow,
  header: Header,
  file: string,
  log: ReadLog,
): { amount: number | null; currency: string | null } {
  const [price, currency] = [columnOf(header, "price"), columnOf(header, "currency")];
  const both = header.typed || currency ? null : amountWithCode.exec(row.cell(price) ?? "");
  if (!both || !price) {
    const code = readCurrency(row, currency, file, log);
    return { amount: readPrice(row, price, code, row.number(price, 0, maxAmount)), currency: code };
  }
  const [, text, code] = both;
  const amount = readPrice(row, price, code, row.numberIn(text, price, 0, maxAmount));
  if (amount !== null) log.guess(`${file}: ${price.name} holds the currency, too`);
  return { amount, currency: amount === null ? null : code };
}

/** Returns the code of a currency; null where the cell has none. */
export function readCurrency(
  row: TableRow,
  column: Column | undefined,
  file: string,
  log: ReadLog,
): string | null {
  const text = row.text(column);
  if (text === null || column === undefined) return null;
  const code = text.trim().toUpperCase();
  if (/^[A-Z]{3}$/.test(code)) {
    if (code !== text.trim()) log.change(`${file}: currencies written in upper case`);
    return code;
  }
  row.leaveOut(column, text, "must be an ISO 4217 code such as EUR");
  return null;
}

/** Returns an amount if it is exact in its currency. */
export function readPrice(
  row: TableRow,
  column: Column | undefined,
  currency: string | null,
  price: number | null,
): number | null {
  if (price === null || column === undefined) return null;
  const excess = excessDigits(price, currency);
  if (excess === null) return price;
  row.leaveOut(column, row.text(column) ?? "", excess);
  return null;
}

function readGroup(row: TableRow, column: Column | undefined): string | null {
  const text = row.text(column)?.trim();
  if (text === undefined || column === undefined) return null;
  const parsed = identifier.safeParse(text);
  if (parsed.success) return parsed.data;
  row.leaveOut(column, text, parsed.error.issues[0]?.message ?? "is no identifier");
  return null;
}

/** Returns an attribute by the declared type of its column. Without a declared type it is text. */
function readAttribute(row: TableRow, column: Column): string | number | null {
  if (column.type === "float") return row.number(column);
  const text = row.text(column);
  if (text === null || column.type !== "float_seq") return text;
  for (const part of text.trim().split(/\s+/)) {
    const parsed = parseFloatCell(part);
    if ("problem" in parsed) {
      row.leaveOut(column, text, `"${part}" ${parsed.problem}`);
      return null;
    }
  }
  return text;
}
