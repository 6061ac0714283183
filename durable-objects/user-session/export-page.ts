import type { UserProfile } from "../../model/profile/profile.ts";
import type { ExportItem } from "../../shared/contracts/export.ts";
import { toInstant } from "../../shared/contracts/primitives.ts";
import { base64urlOf } from "../../shared/encoding/base64url.ts";
import type { SessionStore } from "./store/session-store.ts";

/** One page of the export of a user's object. */
export interface SessionExportPage {
  /** {@link ExportItem}s, as JSON. */
  items: string[];
  /** Where the next page begins: the table, and the id after which to continue; null after the last page. */
  next: { table: "journal" | "receipts"; after: string } | null;
}
/** Where a page begins; null for the first page. */
export type SessionExportPosition = NonNullable<SessionExportPage["next"]> | null;

/** A page ends after this many characters, because receipts are large. */
const maxCharactersPerPage = 500_000;

const encodeItem = (item: ExportItem): string =>
  JSON.stringify(item, (_, value: unknown) => (value instanceof Map ? Object.fromEntries(value) : value));

/**
 * Returns a page of all that a user's object stores: the profile first, then the journal and the receipts, each by id.
 */
export function exportPage(
  store: SessionStore,
  profile: UserProfile,
  position: SessionExportPosition,
  limit: number,
): SessionExportPage {
  if (position === null)
    return {
      items: store.isEmpty() ? [] : [encodeItem({ store: "memory", memory: { ...profile } })],
      next: { table: "journal", after: "" },
    };
  const items: string[] = [];
  let characters = 0;
  const { table, after } = position;
  for (const { id, text } of table === "journal"
    ? journalItems(store, after, limit)
    : receiptItems(store, after, limit)) {
    items.push(text);
    characters += text.length;
    if (items.length === limit || characters > maxCharactersPerPage)
      return { items, next: { table, after: id } };
  }
  return { items, next: table === "journal" ? { table: "receipts", after: "" } : null };
}

function* journalItems(store: SessionStore, after: string, limit: number) {
  for (const { id, queue, time, body } of store.journalAfter(after, limit)) {
    const received = toInstant(time);
    yield {
      id,
      text: encodeItem({
        store: "journal",
        id,
        queue,
        received,
        body: body === null ? null : JSON.parse(body),
      }),
    };
  }
}

function* receiptItems(store: SessionStore, after: string, limit: number) {
  for (const { id, receipt, rows } of store.receipts.after(after, limit)) {
    const outcomes = store.receipts.outcomes(id).map(({ product, type }) => ({ productId: product, type }));
    yield {
      id,
      text: JSON.stringify({
        store: "receipts",
        receipt: JSON.parse(receipt),
        seen: rows === null ? null : JSON.parse(rows),
        outcomes,
        inputs: encodedInputs(store, id),
      }),
    };
  }
}

/** Returns the recorded inputs of a recommendation in base64url; null if there are none. */
function encodedInputs(store: SessionStore, id: string): string | null {
  const bytes = store.inputs.find(id);
  return bytes && base64urlOf(new Uint8Array(bytes));
}
