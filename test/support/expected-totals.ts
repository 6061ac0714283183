import type { StoredType } from "../../shared/contracts/event.ts";
import { emptyTotals, type Totals } from "../../shared/contracts/totals.ts";

/** The fields of an event that totals depend on. */
export interface CountedEvent {
  userId: string;
  productId: string;
  type: StoredType;
  /** ISO 8601. */
  timestamp?: string;
}

/**
 * Returns the totals by product that events of users whom someone vouches for must produce: each user once by product,
 * type and UTC hour, by one dismissal of a product, and once by product among its people and buyers. It leaves out that a
 * user counts in a few hours only. Refunds count nowhere.
 */
export function expectedTotals(events: Iterable<CountedEvent>): Map<string, Totals> {
  const totals = new Map<string, Totals>();
  const seen = new Set<string>();
  const isNew = (...parts: (string | number)[]): boolean => {
    const { size } = seen;
    return seen.add(JSON.stringify(parts)).size > size;
  };
  for (const { productId, type, userId, timestamp = "" } of events) {
    if (type === "refund") continue;
    const counts = totals.get(productId) ?? emptyTotals();
    totals.set(productId, counts);
    const hour = type === "dismiss" ? 0 : Math.floor(Date.parse(timestamp) / 3_600_000);
    if (isNew(productId, userId, type, hour)) counts[type]++;
    if (type !== "dismiss" && isNew(productId, userId, "people")) counts.people++;
    if (type === "purchase" && isNew(productId, userId, "buyers")) counts.buyers++;
  }
  return totals;
}
