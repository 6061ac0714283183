import { type AcceptedInteraction, eventTypes } from "../shared/contracts/event.ts";
import { emptyTotals, type HourTotals, type ProductTotals, type Totals } from "../shared/contracts/totals.ts";

/** One person's part of a batch. */
export interface PersonBatch {
  userId: string;
  /** Their pseudonym, by which tombstones know them. */
  object: string;
  epoch: number;
  interactions: AcceptedInteraction[];
}

/** A row as the insert reads it, by short names: the list crosses to the database as one JSON parameter. */
export interface InteractionJson {
  u: string;
  /** Pseudonym and epoch of the person, for the tombstone. */
  o: string;
  ep: number;
  e: string;
  t: string;
  p: string;
  s: number;
  la: number | null;
  lo: number | null;
  r: string | null;
  f: 0 | 1;
}

/** Flattens a batch to rows, each event of a person once. */
export function rowsOf(batch: PersonBatch[]): InteractionJson[] {
  const seen = new Set<string>();
  const rows: InteractionJson[] = [];
  for (const { userId, object, epoch, interactions } of batch)
    for (const each of interactions) {
      const key = `${userId}/${epoch}/${each.eventId}`;
      if (seen.has(key)) continue;
      seen.add(key);
      rows.push({
        u: userId,
        o: object,
        ep: epoch,
        e: each.eventId,
        t: each.type,
        p: each.productId,
        s: each.time,
        la: each.at?.lat ?? null,
        lo: each.at?.lon ?? null,
        r: each.recommendationId,
        f: each.first ? 1 : 0,
      });
    }
  return rows;
}

/** A row of the totals as the database gives it. */
export type TotalsRow = HourTotals & { productId: string };

/**
 * Hour rows of products (ascending by hour) to absolute totals; rows of one hour from several databases are added up.
 * The version is the number of interactions counted: it grows with every change, so a reader that keeps the largest
 * keeps the newest.
 */
export function totalsOf(productIds: Iterable<string>, rows: Iterable<TotalsRow>): ProductTotals[] {
  const byProduct = new Map<string, ProductTotals>();
  for (const productId of productIds)
    byProduct.set(productId, { productId, version: 0, lifetime: emptyTotals(), hours: [] });
  for (const { productId, ...row } of rows) {
    const totals = byProduct.get(productId);
    if (!totals) continue;
    add(totals.lifetime, row);
    const newest = totals.hours.at(-1);
    if (newest?.hour === row.hour) add(newest, row);
    else totals.hours.push(row);
  }
  for (const totals of byProduct.values())
    for (const type of eventTypes) totals.version += totals.lifetime[type];
  return [...byProduct.values()];
}

function add(to: Totals, from: Totals): void {
  for (const type of eventTypes) to[type] += from[type];
  to.people += from.people;
}
