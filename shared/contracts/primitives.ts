import { z } from "zod";

/** Identifier of a product, person, event or recommendation: 1-128 of `A-Z a-z 0-9 . _ ~ -`. */
export const identifier = z
  .string()
  .regex(/^[A-Za-z0-9._~-]{1,128}$/, "must be 1-128 characters of A-Z a-z 0-9 . _ ~ -");

/** Name of an application (tenant). Its grammar forbids `:` and `/`, the separators of object names and keys. */
export const applicationName = z.string().regex(/^[a-z0-9-]{1,32}$/, "must be 1-32 characters of a-z 0-9 -");

/** A point on the globe, WGS84 degrees. */
export const point = z.strictObject({
  lat: z.number().min(-90).max(90),
  lon: z.number().min(-180).max(180),
});
export type Point = z.infer<typeof point>;

/** An instant on the wire: ISO 8601, UTC (`2026-01-31T12:00:00Z`, fractions allowed). */
export const instant = z.iso.datetime().meta({ pattern: "Z$" });

/** Seconds since the epoch, as stored and computed with (fractions allowed). */
export const epochSeconds = z.number().finite();

/**
 * Id of a person's object, hexadecimal: a hash of application and person, keyed by the namespace of the objects. It is
 * their pseudonym: in the training log, in tombstones, in messages.
 */
export const pseudonym = z.string().regex(/^[0-9a-f]{64}$/, "must be 64 hexadecimal digits");

/** Which life of a person something belongs to: how often they were erased before it. */
export const generation = z.number().int().min(0);

/** ISO 4217 code of a currency. */
export const currencyCode = z.string().regex(/^[A-Z]{3}$/, "must be an ISO 4217 code such as EUR");

/** Name of a category, as the application writes it. */
export const categoryName = z.string().min(1).max(128);

/** Names of a map, 1 to `longest` characters, with its values; the document says so too. */
export const boundedRecord = <V extends z.ZodType>(maxKeyLength: number, value: V) =>
  z
    .record(z.string().min(1).max(maxKeyLength), value)
    .meta({ propertyNames: { type: "string", minLength: 1, maxLength: maxKeyLength } });

/** How exactly a location may be known: as given, about 1 km, or the city. */
export const precision = z.enum(["exact", "1km", "city"]);
export type Precision = z.infer<typeof precision>;

/** Query strings of a list: `limit` up to 500, `cursor` as given by the page before. */
export const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.string().min(1).max(512).optional(),
});

/** Epoch seconds to the wire. */
export const toInstant = (seconds: number): string => new Date(Math.round(seconds * 1000)).toISOString();
/** The wire to epoch seconds. */
export const fromInstant = (iso: string): number => Date.parse(iso) / 1000;
