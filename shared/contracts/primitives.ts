import * as z from "zod";
import { identifierPattern, identifierProblem, maxIdentifierBytes } from "./identifier.ts";

/**
 * Identifier of a product, user or event, which the application chooses: 1-128 bytes of printable Unicode in UTF-8. See
 * {@link identifierProblem} for the rules.
 */
export const identifier = z
  .string()
  .superRefine((text, context) => {
    const message = identifierProblem(text);
    if (message !== null) context.addIssue({ code: "custom", message });
  })
  .meta({ pattern: identifierPattern.source, minLength: 1, maxLength: maxIdentifierBytes });

/**
 * Id of what Vicinity names (a recommendation, erasure, recalibration, key or dead-letter message), and name of an
 * import: 1-128 characters of `A-Z a-z 0-9 . _ ~ -`.
 */
export const plainId = z
  .string()
  .regex(/^[A-Za-z0-9._~-]{1,128}$/, "must be 1-128 characters of A-Z a-z 0-9 . _ ~ -");

/**
 * Name of an application (tenant): 1-32 characters of `a-z 0-9 -`. It cannot contain `:` or `/`, which separate the
 * parts of Durable Object names and of keys.
 */
export const applicationName = z.string().regex(/^[a-z0-9-]{1,32}$/, "must be 1-32 characters of a-z 0-9 -");

/** A point on the globe, in WGS84 degrees. */
export const point = z.strictObject({
  lat: z.number().min(-90).max(90),
  lon: z.number().min(-180).max(180),
});
export type Point = z.infer<typeof point>;

/** A time in the API: ISO 8601 in UTC, for example `2026-01-31T12:00:00Z` (fractions allowed). */
export const instant = z.iso.datetime().meta({ pattern: "Z$" });

/** A time in storage and in computations: seconds since the epoch (fractions allowed). */
export const epochSeconds = z.number().finite();

/**
 * A user's pseudonym: the hexadecimal id of their Durable Object, which is a keyed hash of application and user. Queue
 * messages and tombstones name users by it. The training log has names of its own (`shared/pseudonyms/hashed-names.ts`).
 */
export const pseudonym = z.string().regex(/^[0-9a-f]{64}$/, "must be 64 hexadecimal digits");

/** Generation of a user's data: how many times the user was erased before the data was written. */
export const generation = z.number().int().min(0);

/** ISO 4217 code of a currency. */
export const currencyCode = z.string().regex(/^[A-Z]{3}$/, "must be an ISO 4217 code such as EUR");

/**
 * Returns the schema of a text of `minLength` to `maxLength` UTF-16 units. Its Unicode is well-formed: no store can keep
 * half of a surrogate pair, which JSON can contain as an escape such as `\\ud800`.
 */
export const wellFormedText = (minLength: number, maxLength: number) =>
  z
    .string()
    .min(minLength)
    .max(maxLength)
    .superRefine((text, context) => {
      if (text.isWellFormed()) return;
      const at = /\p{Surrogate}/u.exec(text)?.index ?? 0;
      const unit = text.charCodeAt(at).toString(16).toUpperCase();
      context.addIssue({
        code: "custom",
        message: `must be well-formed Unicode; got U+${unit} alone at position ${at + 1}, half of a surrogate pair`,
      });
    });

/** Name of a category, as the application writes it. */
export const categoryName = wellFormedText(1, 128);

/** Reports the name `__proto__`, which objects cannot hold as a field, so that it is not dropped without a word. */
function refuseProto(input: unknown, context: z.RefinementCtx): unknown {
  if (typeof input === "object" && input !== null && Object.hasOwn(input, "__proto__"))
    context.addIssue({ code: "custom", path: ["__proto__"], message: "is not accepted as a name" });
  return input;
}

/**
 * Returns the schema of a map whose keys have 1 to `maxKeyLength` characters. The OpenAPI document contains that bound
 * too, which zod alone would leave out.
 */
export function boundedRecord<V extends z.ZodType>(maxKeyLength: number, value: V) {
  const record = z
    .record(wellFormedText(1, maxKeyLength), value)
    .meta({ propertyNames: { type: "string", minLength: 1, maxLength: maxKeyLength } });
  // The types of a preprocessed schema accept any input; those of the map tell a caller what to send.
  return z.preprocess(refuseProto, record) as unknown as typeof record;
}

/**
 * How precisely a user's location may be stored, from the finest: as sent, within about 1 km, only the city, or not at
 * all.
 */
export const precisions = ["exact", "approximate", "city", "none"] as const;
/** A level of consent, and the precision of locations that are stored with it. */
export const precision = z.enum(precisions);
export type Precision = z.infer<typeof precision>;

/** Query parameters of a list: `limit` up to 500, and the `nextCursor` of the previous page as `cursor`. */
export const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.string().min(1).max(512).optional(),
});

/** Returns seconds since the epoch as ISO 8601, rounded to milliseconds. */
export const toInstant = (seconds: number): string => new Date(Math.round(seconds * 1000)).toISOString();
/** Returns an ISO 8601 time as seconds since the epoch. */
export const fromInstant = (iso: string): number => Date.parse(iso) / 1000;
