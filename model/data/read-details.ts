import { type OpeningHours, weekdays } from "../../shared/contracts/opening-hours.ts";
import { detailFields, type ProductDetails } from "../../shared/contracts/product-details.ts";
import { columnOf, type Header, type ProductField } from "./columns.ts";
import type { TableRow } from "./table-file.ts";

/** The first two characters of the days, as OpenStreetMap and schema.org write them. */
const dayNames = weekdays.map((day) => day.slice(0, 2));
const dayPattern = dayNames.join("|");
const rulePattern = new RegExp(
  `^((?:(?:${dayPattern})(?:-(?:${dayPattern}))?,?)+)\\s+((?:\\d{1,2}:\\d{2}-\\d{1,2}:\\d{2},?\\s*)+)$`,
  "i",
);

/** Returns the days that a text such as `mo-fr,su` names. `sa-mo` goes over the end of the week. */
function daysOf(text: string): OpeningHours[number]["days"] {
  return text
    .split(",")
    .filter((part) => part !== "")
    .flatMap((part) => {
      const [first, last = first] = part.split("-").map((name) => dayNames.indexOf(name.toLowerCase()));
      const count = ((last - first + 7) % 7) + 1;
      return Array.from({ length: count }, (_, i) => weekdays[(first + i) % 7]);
    });
}

/**
 * Returns opening hours that a text of OpenStreetMap's form names, such as `Mo-Fr 09:00-18:00; Sa 10:00-02:00`; null for
 * another text. It reads days and times only.
 */
export function parseOpeningHours(text: string): OpeningHours | null {
  const hours: OpeningHours = [];
  for (const rule of text.split(";")) {
    if (rule.trim() === "") continue;
    const [, days, times] = rulePattern.exec(rule.trim()) ?? [];
    if (days === undefined) return null;
    for (const span of times.split(",")) {
      const [opens, closes] = span.trim().split("-");
      hours.push({ days: daysOf(days), opens: opens.padStart(5, "0"), closes: closes.padStart(5, "0") });
    }
  }
  return hours.length > 0 ? hours : null;
}

/** Columns of details, with how their text is read. */
const readers: readonly {
  field: ProductField;
  name: keyof ProductDetails;
  read(text: string): unknown;
}[] = [
  { field: "description", name: "description", read: (text) => text.slice(0, 8192).toWellFormed() },
  { field: "brand", name: "brand", read: (text) => text.trim() },
  { field: "url", name: "url", read: (text) => text.trim() },
  { field: "images", name: "images", read: (text) => text.trim().split(/[\s,|]+(?=https?:|\/)/) },
  { field: "sale_from", name: "saleFrom", read: (text) => text.trim() },
  { field: "sale_until", name: "saleUntil", read: (text) => text.trim() },
  { field: "available_from", name: "availableFrom", read: (text) => text.trim() },
  { field: "available_until", name: "availableUntil", read: (text) => text.trim() },
  { field: "opening_hours", name: "openingHours", read: (text) => parseOpeningHours(text) ?? text },
  { field: "service_radius_km", name: "serviceRadiusKm", read: (text) => Number(text) },
];

/** Returns the details of a product in a row. What cannot be read is absent, and reported. */
export function readDetails(row: TableRow, header: Header): Partial<ProductDetails> {
  const details: Record<string, unknown> = {};
  for (const { field, name, read } of readers) {
    const column = columnOf(header, field);
    const text = row.text(column);
    if (text === null || column === undefined) continue;
    const parsed = detailFields[name].safeParse(read(text));
    if (parsed.success) details[name] = parsed.data;
    else row.leaveOut(column, text, problemOf(name, parsed.error.issues[0]?.message));
  }
  return details as Partial<ProductDetails>;
}

const problemOf = (name: keyof ProductDetails, message = "cannot be read"): string =>
  name === "openingHours" ? "must be days and times such as Mo-Fr 09:00-18:00; Sa 10:00-14:00" : message;
