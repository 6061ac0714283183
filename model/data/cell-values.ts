/** A value of a cell, or why the cell holds none. */
export type CellValue<T> = { value: T } | { problem: string };

const floatText = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** What stands before the decimal digits of a number. */
export type DecimalMark = "point" | "comma";

const commaText = /^[+-]?(?:\d+|\d{1,3}(?:[. \u00a0\u202f]\d{3})+)(?:,\d*)?$/;
/** Returns a number with a decimal comma, such as `1.234,56`, as one with a decimal point; null for other texts. */
const fromDecimalComma = (text: string): string | null =>
  commaText.test(text) ? text.replaceAll(/[. \u00a0\u202f]/g, "").replace(",", ".") : null;

/**
 * Returns the number that a text is, from `min` to `max`. `nan`, `inf`, `0x10` and `$12.99` are no numbers, and neither
 * is `1,5` unless the decimal mark is a comma. With a comma, points and spaces separate thousands.
 */
export function parseFloatCell(
  text: string,
  min = -Number.MAX_VALUE,
  max = Number.MAX_VALUE,
  decimal: DecimalMark = "point",
): CellValue<number> {
  const found = text.trim();
  const plain = decimal === "comma" ? fromDecimalComma(found) : found;
  if (plain === null) return { problem: "must be a number such as 12,5" };
  if (!floatText.test(plain)) return { problem: `must be a number such as 12.5${hint(plain)}` };
  const value = Number(plain);
  if (!Number.isFinite(value)) return { problem: "is too large for a number" };
  return value < min || value > max ? { problem: `must be from ${min} to ${max}` } : { value };
}

function hint(text: string): string {
  if (/^[+-]?\d+,\d+$/.test(text)) return ", with a decimal point; --decimal comma reads commas";
  return /^[+-]?[\d.]+\s*%$/.test(text) ? ", or a share such as 0.2 for 20%" : "";
}

/** Units in which files write times, with their number in a second. */
const unitsPerSecond = { seconds: 1, milliseconds: 1e3, microseconds: 1e6, nanoseconds: 1e9 } as const;
/** How a time is written: a number in a unit, or a date; `date without offset` is read as UTC. */
export type TimeForm = keyof typeof unitsPerSecond | "date" | "date without offset";

/** Seconds after which a number counts in the next smaller unit: 1e11 seconds are the year 5138. */
const maxSeconds = 1e11;

const dateText =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s*(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?$/i;
const timeRule = "must be seconds since 1970 or ISO 8601, for example 2026-01-31T12:00:00Z";

/** Returns a time in seconds since the epoch, with the form in which it was written. */
export function parseTimeCell(text: string): CellValue<{ time: number; form: TimeForm }> {
  const plain = text.trim();
  if (floatText.test(plain)) return parseNumericTime(Number(plain));
  const match = dateText.exec(plain);
  if (!match) return { problem: timeRule };
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0));
  const date = new Date(Date.UTC(year, month - 1, day));
  const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!exists || hour > 23 || minute > 59 || second > 60) return { problem: "is no date of the calendar" };
  const offset = match[8]?.toUpperCase();
  const fraction = match[7] === undefined ? 0 : Number(`0.${match[7]}`);
  const time = date.getTime() / 1000 + hour * 3600 + minute * 60 + second + fraction - offsetSeconds(offset);
  if (time < 0) return { problem: "is before 1970" };
  return { value: { time, form: offset === undefined ? "date without offset" : "date" } };
}

function parseNumericTime(number: number): CellValue<{ time: number; form: TimeForm }> {
  if (number < 0) return { problem: "is before 1970" };
  for (const form of ["seconds", "milliseconds", "microseconds", "nanoseconds"] as const)
    if (number < maxSeconds * unitsPerSecond[form])
      return { value: { time: number / unitsPerSecond[form], form } };
  return { problem: timeRule };
}

/** Returns the time of a date that was written as eight digits and read as a number of seconds; null for others. */
export function dateOfDigits(seconds: number): number | null {
  const digits = /^((?:19|20)\d\d)(\d\d)(\d\d)$/.exec(String(seconds));
  if (!digits) return null;
  const parsed = parseTimeCell(digits.slice(1).join("-"));
  return "value" in parsed ? parsed.value.time : null;
}

function offsetSeconds(offset: string | undefined): number {
  if (offset === undefined || !/^[+-]/.test(offset)) return 0;
  const digits = offset.slice(1).replace(":", "").padEnd(4, "0");
  const seconds = Number(digits.slice(0, 2)) * 3600 + Number(digits.slice(2)) * 60;
  return offset.startsWith("-") ? -seconds : seconds;
}

/**
 * Returns the elements of a list of categories, without empty ones. Elements end with a comma or a vertical bar, and in a
 * list of single words (`words`) with a space: `Restaurants, Mexican` and `['Books', 'Poetry']`. A quoted element may hold
 * separators.
 */
export function listedCategories(text: string, words: boolean): string[] {
  const plain = text.trim().replace(/^\[+(.*?)\]+$/, "$1");
  const isQuoted = /^(['"])((?:(?!\1).)+)\1\s*(?:,|$)/.test(plain);
  const parts = isQuoted
    ? [...plain.matchAll(/(?:^|,)[\s\][]*(?:(['"])((?:(?!\1).)+)\1|([^,]*))/g)].map(
        ([, , quoted, bare]) => quoted ?? bare ?? "",
      )
    : plain
        .split(/[,|]/.test(plain) ? /[,|]/ : words ? /\s+/ : /(?!)/)
        .map((part) => part.trim().replace(/^(['"])(.*)\1$/, "$2"));
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

const availableTexts = new Set(["1", "true", "t", "yes", "y", "instock", "available"]);
const unavailableTexts = new Set(["0", "false", "f", "no", "n", "outofstock", "unavailable", "soldout"]);

/** Returns whether a text says that a product can be bought. */
export function parseAvailable(text: string): CellValue<boolean> {
  const plain = text
    .trim()
    .toLowerCase()
    .replace(/^https?:\/\/schema\.org\//, "")
    .replaceAll(/[\s_-]+/g, "");
  if (availableTexts.has(plain)) return { value: true };
  return unavailableTexts.has(plain)
    ? { value: false }
    : { problem: "must be true or false, or in stock or out of stock" };
}
