import type { StoredType } from "../../shared/contracts/event.ts";
import { decodeId, decodeMarks, decodeTime, degreesSql, readableIdSql } from "./compact-columns.ts";

/** An interaction as it is stored, with its columns in words and texts. Times are in seconds since the Unix epoch. */
export interface InteractionRow {
  eventId: string;
  type: StoredType;
  productId: string;
  time: number;
  lat: number | null;
  lon: number | null;
  recommendationId: string | null;
  /** 1 for the user's first choice, and the first purchase, of the product. */
  first: number;
  firstPurchase: number;
  /** 1 for a row that counts in the lists of others. */
  counts: number;
  /** A hash of the merged user and generation from whom the row was copied; null for the user's own. */
  copiedFrom: number | null;
  /** What the event was worth, as `encodeWorth` writes it. */
  worth: string | null;
}

/** SQL: the columns of row `i` of `recent_interactions`, as {@link interactionOf} takes them. */
export const interactionColumns = `${readableIdSql("i.id")} AS id, i.time, i.marks, ${readableIdSql("i.product")} AS product,
  ${degreesSql("i.lat")} AS lat, ${degreesSql("i.lon")} AS lon,
  ${readableIdSql("i.recommendation")} AS recommendation, i.copied_from AS copiedFrom, i.worth`;

/** The columns that {@link interactionColumns} reads. */
export interface StoredColumns {
  id: string;
  time: number;
  marks: number;
  product: string;
  lat: number | null;
  lon: number | null;
  recommendation: string | null;
  copiedFrom: number | null;
  worth: string | null;
}

/** Returns an interaction from its columns. */
export const interactionOf = (columns: StoredColumns): InteractionRow => ({
  eventId: decodeId(columns.id),
  ...decodeMarks(columns.marks),
  productId: decodeId(columns.product),
  time: decodeTime(columns.time),
  lat: columns.lat,
  lon: columns.lon,
  recommendationId: columns.recommendation === null ? null : decodeId(columns.recommendation),
  copiedFrom: columns.copiedFrom,
  worth: columns.worth,
});
