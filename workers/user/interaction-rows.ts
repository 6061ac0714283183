import type { AcceptedInteraction } from "../../shared/contracts/event.ts";
import { addTotals, type HourTotals } from "../../shared/contracts/totals.ts";

/** One person's part of a batch. */
export interface UserInteractions {
  userId: string;
  /** Their pseudonym, by which tombstones know them. */
  pseudonym: string;
  generation: number;
  interactions: AcceptedInteraction[];
}

/** A row as the insert reads it, by short names: the list crosses to the database as one JSON parameter. */
export interface InteractionJson {
  u: string;
  /** Pseudonym and generation of the person, for the tombstone. */
  o: string;
  g: number;
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
export function toInteractionJson(batch: UserInteractions[]): InteractionJson[] {
  const seen = new Set<string>();
  const rows: InteractionJson[] = [];
  for (const { userId, pseudonym, generation, interactions } of batch)
    for (const each of interactions) {
      const key = `${userId}/${generation}/${each.eventId}`;
      if (seen.has(key)) continue;
      seen.add(key);
      rows.push({
        u: userId,
        o: pseudonym,
        g: generation,
        e: each.eventId,
        t: each.type,
        p: each.productId,
        s: each.time,
        la: each.location?.lat ?? null,
        lo: each.location?.lon ?? null,
        r: each.recommendationId,
        f: each.first ? 1 : 0,
      });
    }
  return rows;
}

/** A row of the totals as the database gives it. */
export type TotalsRow = HourTotals & { productId: string };

/** Hours that rows of a batch fall in, by product. */
export function hoursTouched(rows: readonly InteractionJson[]): Map<string, Set<number>> {
  const hours = new Map<string, Set<number>>();
  for (const { p, s } of rows) {
    const known = hours.get(p) ?? new Set();
    hours.set(p, known.add(Math.floor(s / 3600)));
  }
  return hours;
}

/** Hour rows (ascending by hour) by product, in the order of the ids; rows of one hour from several databases are added up. */
export function groupHoursByProduct(
  productIds: Iterable<string>,
  rows: Iterable<TotalsRow>,
): Map<string, HourTotals[]> {
  const byProduct = new Map<string, HourTotals[]>();
  for (const productId of productIds) byProduct.set(productId, []);
  for (const { productId, ...row } of rows) {
    const hours = byProduct.get(productId);
    const newest = hours?.at(-1);
    if (newest?.hour === row.hour) addTotals(newest, row);
    else hours?.push(row);
  }
  return byProduct;
}
