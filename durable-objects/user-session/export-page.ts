import type { UserProfile } from "../../model/profile/profile.ts";
import type { ExportItem } from "../../shared/contracts/export.ts";
import { toInstant } from "../../shared/contracts/primitives.ts";
import type { SessionStore } from "./store.ts";

/** Items of one page, and where the next begins: which table, after which row. */
export interface ExportPage {
  /** {@link ExportItem}s, as JSON. */
  items: string[];
  next: { table: "journal" | "receipts"; after: string } | null;
}
export type ExportPosition = NonNullable<ExportPage["next"]> | null;

/** A page ends once it is so large, in characters: receipts are large. */
const charactersPerPage = 500_000;

const textOf = (item: ExportItem): string =>
  JSON.stringify(item, (_, value: unknown) => (value instanceof Map ? Object.fromEntries(value) : value));

/** A page of all that a person's object holds: what it remembers first, then its journal, then receipts, each by id. */
export function exportPage(
  store: SessionStore,
  profile: UserProfile,
  position: ExportPosition,
  limit: number,
): ExportPage {
  if (position === null)
    return {
      items: store.isEmpty() ? [] : [textOf({ store: "memory", memory: { ...profile } })],
      next: { table: "journal", after: "" },
    };
  const items: string[] = [];
  let characters = 0;
  const { table, after } = position;
  for (const { id, text } of table === "journal"
    ? journal(store, after, limit)
    : receipts(store, after, limit)) {
    items.push(text);
    characters += text.length;
    if (items.length === limit || characters > charactersPerPage)
      return { items, next: { table, after: id } };
  }
  return { items, next: table === "journal" ? { table: "receipts", after: "" } : null };
}

function* journal(store: SessionStore, after: string, limit: number) {
  for (const { id, queue, time, body } of store.journalAfter(after, limit)) {
    const received = toInstant(time);
    yield {
      id,
      text: textOf({ store: "journal", id, queue, received, body: body === null ? null : JSON.parse(body) }),
    };
  }
}

function* receipts(store: SessionStore, after: string, limit: number) {
  for (const { id, receipt, rows } of store.receiptsAfter(after, limit)) {
    const outcomes = store.outcomes(id).map(({ product, type }) => ({ productId: product, type }));
    yield {
      id,
      text: JSON.stringify({
        store: "receipts",
        receipt: JSON.parse(receipt),
        seen: rows === null ? null : JSON.parse(rows),
        outcomes,
      }),
    };
  }
}
