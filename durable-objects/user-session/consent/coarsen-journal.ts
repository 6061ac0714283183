import { allowedRow, allowedVisit } from "../../../shared/consent/allowed-rows.ts";
import type { ConsentLimits } from "../../../shared/consent/consent-limits.ts";
import { isFiner } from "../../../shared/consent/levels.ts";
import type { Point, Precision } from "../../../shared/contracts/primitives.ts";
import type { OutboxRow, PlaceVisit } from "../../../shared/contracts/queues.ts";
import { type CoarsenToStore, coarsenInOneCall } from "../../../shared/geo/coarsen-point.ts";
import type { LocationApi } from "../../../shared/services/location-api.ts";
import { decodeContent, encodeContent } from "../ingest/sent-content.ts";
import type { SessionStore } from "../store/session-store.ts";

/** A row of the journal as a lowered consent allows to store it. */
export interface ChangedRow {
  seq: number;
  id: string;
  /** The new body: null if nothing of the row may be stored, so that it is closed; undefined if the body stays. */
  body: string | null | undefined;
  content: string | null;
}

/** A page of the journal, with the rows that change. */
export interface CoarsenedPage {
  changed: ChangedRow[];
  /** Id of the last row of the page; null after the last page. */
  next: string | null;
}

/** Replaces the content of a row, and its body unless that is undefined. */
export function replaceRow(sql: SqlStorage, { id, body, content }: ChangedRow): void {
  sql.exec("UPDATE journal SET content = ? WHERE id = ?", content, id);
  if (body !== undefined) sql.exec("UPDATE journal SET body = ? WHERE id = ?", body, id);
}

/** Returns the points of a journal body that may have to be coarsened. The object itself wrote the body. */
function pointsOf(queue: string, body: string): Point[] {
  const row = JSON.parse(body);
  if (queue === "locations") return [{ lat: row.lat, lon: row.lon }];
  return row.kind === "interaction" && row.interaction.location !== null ? [row.interaction.location] : [];
}

/** Returns a body as the consent allows to store it; null if nothing of it may be stored. */
async function allowedBody(
  coarsen: CoarsenToStore,
  limits: ConsentLimits,
  queue: string,
  body: string,
): Promise<string | null> {
  const row: unknown = JSON.parse(body);
  const allowed =
    queue === "locations"
      ? await allowedVisit(coarsen, limits, row as PlaceVisit)
      : await allowedRow(coarsen, limits, row as OutboxRow);
  return allowed === row ? body : allowed && JSON.stringify(allowed);
}

/** Returns what a client said in an event without a location that is finer than `precision`, of which it holds a hash. */
function allowedContent(content: string | null, precision: Precision): string | null {
  if (content === null) return null;
  const { location, ...said } = decodeContent(content);
  if (location === null || !isFiner(location.precision as Precision, precision)) return content;
  return encodeContent({ ...said, location: null });
}

/**
 * Returns the next rows of the journal after row `after`, coarsened to `precision`. Rows that were collected under a later
 * consent stay as they are.
 */
export async function coarsenJournalPage(
  store: SessionStore,
  location: Pick<LocationApi, "coarsen" | "coarsenPoints">,
  limits: ConsentLimits,
  after: string,
  limit: number,
): Promise<CoarsenedPage> {
  const rows = store.journalAfter(after, limit);
  const points = rows.flatMap(({ queue, body }) => (body === null ? [] : pointsOf(queue, body)));
  const coarsen = await coarsenInOneCall(location, points, limits.precision);
  const changed: ChangedRow[] = [];
  for (const { seq, id, queue, body, content } of rows) {
    const allowed = body && (await allowedBody(coarsen, limits, queue, body));
    const newBody = allowed === body ? undefined : allowed;
    const newContent = allowedContent(content, limits.precision);
    if (newBody !== undefined || newContent !== content)
      changed.push({ seq, id, body: newBody, content: newContent });
  }
  return { changed, next: rows.length < limit ? null : (rows.at(-1)?.id ?? null) };
}
