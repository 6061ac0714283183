import type { StoredType } from "../../shared/contracts/event.ts";

// An interaction is one of the most frequent rows of all databases, so its columns are as short as they can be without
// losing anything: numbers instead of words, and bytes instead of the text of ids.

/** Types by their number in the column `marks`. New types are added at the end. */
const typesByNumber: readonly StoredType[] = ["view", "click", "cart", "purchase", "dismiss", "refund"];

/** Bits of the column `marks`. The type's number is above them. */
const bits = { first: 1, firstPurchase: 2, counts: 4 } as const;
const typeShift = 3;

/** What the column `marks` says of an interaction. Flags are 0 or 1. */
export interface InteractionMarks {
  type: StoredType;
  /** 1 for the user's first choice of the product. */
  first: number;
  /** 1 for the user's first purchase of the product. */
  firstPurchase: number;
  /** 1 for a row that counts in the lists of others. */
  counts: number;
}

/** Returns the number of a type in the column `marks`. */
export const numberOfType = (type: StoredType): number => typesByNumber.indexOf(type);

/** Returns the value of the column `marks`. */
export const encodeMarks = ({ type, first, firstPurchase, counts }: InteractionMarks): number =>
  (numberOfType(type) << typeShift) +
  (first ? bits.first : 0) +
  (firstPurchase ? bits.firstPurchase : 0) +
  (counts ? bits.counts : 0);

/** Returns what a value of the column `marks` says. */
export const decodeMarks = (marks: number): InteractionMarks => ({
  type: typesByNumber[marks >> typeShift],
  first: marks & bits.first ? 1 : 0,
  firstPurchase: marks & bits.firstPurchase ? 1 : 0,
  counts: marks & bits.counts ? 1 : 0,
});

/** SQL expressions over a column `marks`: each flag is 0 or 1. */
export const marksSql = {
  first: (marks: string): string => `(${marks} & ${bits.first})`,
  firstPurchase: (marks: string): string => `((${marks} & ${bits.firstPurchase}) / ${bits.firstPurchase})`,
  counts: (marks: string): string => `((${marks} & ${bits.counts}) / ${bits.counts})`,
  /** The type's number, see {@link numberOfType}. */
  type: (marks: string): string => `(${marks} / ${1 << typeShift})`,
  /** Value of a column `marks` from the columns of the table `interactions`, whose type is a word. */
  ofOldColumns: (type: string): string =>
    `(CASE ${type} ${typesByNumber.map((name, n) => `WHEN '${name}' THEN ${n << typeShift}`).join(" ")} END)`,
  bits,
};

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const hexText = /^(?:[0-9a-f]{2}){8,}$/;
/** Text of base64url without a rest: each four characters are three bytes, and three bytes are these characters only. */
const base64urlText = /^(?:[\w-]{4}){4,}$/;

/** Bytes of a UUID, which is stored without a first byte that says so: no other id has as many bytes. */
const uuidBytes = 16;
/** The first byte of another id that is stored as bytes: how its text was written. */
const form = { hex: 2, base64url: 3 } as const;
/** Whether an id of the form with so many characters for a number of bytes would have as many bytes as a UUID. */
const looksLikeUuid = (id: string, charactersPerByte: number): boolean =>
  1 + id.length / charactersPerByte === uuidBytes;

const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const fromHex = (hex: string): Uint8Array => Uint8Array.from(hex.match(/../g) ?? [], (b) => parseInt(b, 16));

const bytesOfBase64url = (text: string): Uint8Array =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const base64urlOfBytes = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_");

/**
 * Returns an id as statements take it: `t` and the text, or `x` and the bytes in hexadecimal for a UUID, hexadecimal
 * digits or base64url. {@link storedIdSql} turns it into the column's value.
 */
export function encodeId(id: string): string {
  if (base64urlText.test(id) && !uuid.test(id) && !hexText.test(id) && !looksLikeUuid(id, 4 / 3))
    return `x0${form.base64url}${toHex(bytesOfBase64url(id))}`;
  return encodeProductId(id);
}

/** Returns a product id as {@link encodeId} does, but never as base64url: a recount turns it into text by SQL. */
export function encodeProductId(id: string): string {
  if (uuid.test(id)) return `x${id.replaceAll("-", "")}`;
  if (hexText.test(id) && !looksLikeUuid(id, 2)) return `x0${form.hex}${id}`;
  return `t${id}`;
}

/** Returns the id of what {@link encodeId} returned, or of what {@link readableIdSql} read. */
export function decodeId(encoded: string): string {
  if (encoded.startsWith("t")) return encoded.slice(1);
  if (encoded.length === 1 + 2 * uuidBytes)
    return [1, 9, 13, 17, 21].map((at, i, all) => encoded.slice(at, all[i + 1])).join("-");
  const hex = encoded.slice(3);
  switch (Number(encoded[2])) {
    case form.hex:
      return hex;
    case form.base64url:
      return base64urlOfBytes(fromHex(hex));
    default:
      throw new Error(`A stored id has the unknown form ${encoded.slice(1, 3)}.`);
  }
}

/** SQL expression: the value that a column has of an id in the form of {@link encodeId}; null for null. */
export const storedIdSql = (encoded: string): string =>
  `iif(substr(${encoded}, 1, 1) = 'x', unhex(substr(${encoded}, 2)), substr(${encoded}, 2))`;

/** SQL expression: the id in a column, in the form of {@link encodeId}; null for null. */
export const readableIdSql = (column: string): string =>
  `iif(typeof(${column}) = 'blob', 'x' || lower(hex(${column})), 't' || ${column})`;

/** SQL expression: the id in a column `product` as text. */
export function productIdSql(column: string): string {
  const digits = (from: number, length: number): string =>
    `substr(lower(hex(${column})), ${from}, ${length})`;
  const groups = [digits(1, 8), digits(9, 4), digits(13, 4), digits(17, 4), digits(21, 12)];
  return `CASE WHEN typeof(${column}) = 'text' THEN ${column}
    WHEN length(${column}) = ${uuidBytes} THEN ${groups.join(" || '-' || ")}
    ELSE substr(lower(hex(${column})), 3) END`;
}

/** Parts of a degree in which coordinates are stored as integers: about a centimeter. */
const partsOfDegree = 1e7;

/** Returns a coordinate as its column has it: an integer if nothing is lost by it, else the number itself. */
export function encodeCoordinate(degrees: number | null): number | null {
  if (degrees === null) return null;
  const parts = Math.round(degrees * partsOfDegree);
  return parts / partsOfDegree === degrees ? parts : degrees;
}

/** SQL expression: a coordinate's column from degrees, as {@link encodeCoordinate} returns it. */
export const storedCoordinateSql = (degrees: string): string =>
  `iif(round(${degrees} * 1e7) / 1e7 = ${degrees}, CAST(round(${degrees} * 1e7) AS INTEGER), ${degrees})`;

/** SQL expression: a coordinate's column in degrees; null for null. */
export const degreesSql = (column: string): string =>
  `iif(typeof(${column}) = 'integer', ${column} / 1e7, ${column})`;

/** Returns a time in seconds as its column has it, in milliseconds: no client sends a finer one. */
export const encodeTime = (seconds: number): number => Math.round(seconds * 1000);
export const decodeTime = (milliseconds: number): number => milliseconds / 1000;

/** SQL expression: the column `time` from a time in seconds. */
export const storedTimeSql = (seconds: string): string => `CAST(round(${seconds} * 1000) AS INTEGER)`;
