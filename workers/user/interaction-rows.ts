import { rankOf } from "../../shared/consent/levels.ts";
import { unknownConsent } from "../../shared/contracts/consent.ts";
import type { AcceptedInteraction } from "../../shared/contracts/event.ts";
import { encodeWorth } from "../../shared/contracts/event-content.ts";
import type { PlaceVisit } from "../../shared/contracts/queues.ts";
import { addTotals, type HourTotals } from "../../shared/contracts/totals.ts";
import type { NumberRange } from "./buckets/user-buckets.ts";
import { encodeCoordinate, encodeId, encodeMarks, encodeProductId, encodeTime } from "./compact-columns.ts";

/** One user's part of a batch of interactions. */
export interface UserInteractionBatch {
  userId: string;
  /** The user's pseudonym, which tombstones name. */
  pseudonym: string;
  generation: number;
  interactions: AcceptedInteraction[];
}

/**
 * An interaction as the insert statement reads it. All rows of a statement are one JSON parameter, which D1 limits to
 * 2 MB, so the keys have one or two characters.
 */
export interface InteractionJson {
  /** User id. */
  u: string;
  /** Pseudonym of the user (the id of their Durable Object), which the insert compares with the tombstones. */
  o: string;
  /** Generation of the user's data. */
  g: number;
  /** Event id; this and the following values are in the form of their columns, see compact-columns.ts. */
  e: string;
  /** Type of the event, and flags: whether it is the user's first choice or purchase of the product. */
  t: number;
  /** Product id, as the totals have it, and as the interaction has it. */
  p: string;
  q: string;
  /** Time of the event, in milliseconds since the Unix epoch. */
  s: number;
  /** Latitude, at the precision that the user allows. */
  la: number | null;
  /** Longitude, at the precision that the user allows. */
  lo: number | null;
  /** Rank of the location's precision, 0 for the finest, and version of the settings when it was collected. */
  k: number;
  v: number;
  /** Recommendation id. */
  r: string | null;
  /** 1 for an interaction that counts for others, unless its network has counted already. */
  c: 0 | 1;
  /** What the event was worth; see `encodeWorth`. */
  w: string | null;
  /** Key of the user's network, by which users whom nobody vouches for count together; null for others. */
  n: number | null;
}

/** One user's part of a batch of visits. */
export type UserVisitBatch = Omit<UserInteractionBatch, "interactions"> & { visits: PlaceVisit[] };

/** A visit as the insert statement reads it; {@link InteractionJson} describes the short keys. */
export type VisitJson = PlaceVisit & Pick<InteractionJson, "u" | "o" | "g" | "k" | "v"> & { s: number };

/** Returns the rows of a batch of visits. */
export const toVisitJson = (batch: UserVisitBatch[]): VisitJson[] =>
  batch.flatMap(({ userId, pseudonym, generation, visits }) =>
    visits.map((visit) => ({
      ...{ ...visit, u: userId, o: pseudonym, g: generation, s: visit.time },
      ...{ k: rankOf(visit.precision), v: visit.version ?? unknownConsent.version },
    })),
  );

/** Returns the rows of a batch, each event of a user's generation once. */
export function toInteractionJson(batch: UserInteractionBatch[]): InteractionJson[] {
  const seen = new Set<string>();
  const rows: InteractionJson[] = [];
  for (const { userId, pseudonym, generation, interactions } of batch)
    for (const interaction of interactions) {
      const key = JSON.stringify([userId, generation, interaction.eventId]);
      if (seen.has(key)) continue;
      seen.add(key);
      rows.push({
        u: userId,
        o: pseudonym,
        g: generation,
        e: encodeId(interaction.eventId),
        t: encodeMarks({
          type: interaction.type,
          first: interaction.first ? 1 : 0,
          firstPurchase: interaction.firstPurchase ? 1 : 0,
          // The statement adds this mark: whether a row counts may depend on the rows of other users.
          counts: 0,
        }),
        p: interaction.productId,
        q: encodeProductId(interaction.productId),
        s: encodeTime(interaction.time),
        la: encodeCoordinate(interaction.location?.lat ?? null),
        lo: encodeCoordinate(interaction.location?.lon ?? null),
        k: rankOf((interaction.consent ?? unknownConsent).precision),
        v: (interaction.consent ?? unknownConsent).version,
        r: interaction.recommendationId === null ? null : encodeId(interaction.recommendationId),
        c: interaction.counts ? 1 : 0,
        w: encodeWorth(interaction),
        n: interaction.networkKey,
      });
    }
  return rows;
}

/** A row of the hourly totals, as D1 returns it. */
export type TotalsRow = HourTotals & { productId: string };

/** Users of a list of rows, as a statement that numbers them reads them: each user's generation once. */
export type UserJson = Pick<InteractionJson, "u" | "o" | "g"> & NumberRange;

/** Returns the users of a list of rows, with the numbers that each may get. */
export function usersOf(
  rows: readonly Pick<InteractionJson, "u" | "o" | "g">[],
  numbersOf: (userId: string) => NumberRange,
): UserJson[] {
  const users = new Map<string, UserJson>();
  for (const { u, o, g } of rows) {
    const key = JSON.stringify([u, g]);
    if (!users.has(key)) users.set(key, { u, o, g, ...numbersOf(u) });
  }
  return [...users.values()];
}

/** Returns the hours (since the Unix epoch) in which the rows of a batch fall, by product. */
export function hoursTouched(rows: readonly InteractionJson[]): Map<string, Set<number>> {
  const hours = new Map<string, Set<number>>();
  for (const { p, s } of rows) {
    const productHours = hours.get(p) ?? new Set();
    hours.set(p, productHours.add(Math.floor(s / 3_600_000)));
  }
  return hours;
}

/**
 * Groups hourly rows (ascending by hour) by product, in the order of the ids. Rows of the same hour, which come from
 * different databases, are added up.
 */
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
