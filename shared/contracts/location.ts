import * as z from "zod";
import { attributeTypes } from "./catalog-schema.ts";
import { expressionScope, expressionSource } from "./expression.ts";
import { maxAmount } from "./minor-units.ts";
import { nullIsAbsent } from "./null-is-absent.ts";
import { categoryName, currencyCode, identifier, point, precision } from "./primitives.ts";
import { inputWarning } from "./warning.ts";

/** A city of the gazetteer (GeoNames). */
export const city = z.object({
  id: z.number().int(),
  name: z.string(),
  /** ISO 3166-1 alpha-2. */
  country: z.string(),
  lat: z.number(),
  lon: z.number(),
  /** IANA name. */
  timezone: z.string(),
  population: z.number().int(),
});
export type City = z.infer<typeof city>;

/**
 * The city, country and timezone of a point. `cell` is the coarsest cell that can hold a product there; `distanceKm`
 * is the distance to the city's center.
 */
export const resolvedLocation = z.object({
  city: z.string().nullable(),
  country: z.string().nullable(),
  timezone: z.string(),
  cell: z.string(),
  distanceKm: z.number().nullable(),
});
export type ResolvedLocation = z.infer<typeof resolvedLocation>;

/** Where the location of a recommendation came from, from the strongest evidence to the weakest. */
export const locationSource = z.enum(["request", "last", "edge", "home", "none"]);
export type LocationSource = z.infer<typeof locationSource>;

/** The location in an answer, at the precision that the user allows. */
export const answerLocation = z.object({
  city: z.string().nullable(),
  country: z.string().nullable(),
  precision,
  source: locationSource,
});
export type AnswerLocation = z.infer<typeof answerLocation>;

const filterFields = z.strictObject({
  categories: z.array(categoryName).min(1).max(50).optional().meta({
    description: "Categories with all below them: `Drinks` finds `Drinks > Coffee` too.",
  }),
  priceMin: z
    .number()
    .min(0)
    .max(maxAmount)
    .optional()
    .meta({ description: "Lowest price after discount, inclusive, in units of the filter's currency." }),
  priceMax: z
    .number()
    .min(0)
    .max(maxAmount)
    .optional()
    .meta({ description: "Highest price after discount, inclusive, in units of the filter's currency." }),
  currency: currencyCode.optional().meta({
    description:
      "Currency of the filter (ISO 4217). Products in another currency do not match; an amount without a currency counts " +
      "as in this one. If a filter has a price but no currency, its currency is that of the place, else the one of most " +
      "popular products. The answer's `filter.currency` says which.",
  }),
  discountMin: z.number().min(0).max(1).optional().meta({
    description: "Lowest discount, inclusive, as a share of the price: 0.7 for 70%. Six digits count.",
  }),
  radiusKm: z.number().positive().max(20_100).optional(),
  /** Includes products with `available: false`, and those before or after their time; they are left out by default. */
  includeUnavailable: z.boolean().optional(),
  openNow: z.boolean().optional().meta({
    description:
      "Leaves out products whose place is closed now. Products without opening hours are always open.",
  }),
  expression: expressionSource.optional(),
});

const decidedFields = nullIsAbsent(filterFields).extend({
  currency: currencyCode.nullable().optional(),
  /** What the expression may know besides the product and the location; present if there is an expression. */
  expressionScope: expressionScope.optional(),
});

/** A filter as a receipt shows it: with its currency, and without what its expression knew of the user. */
export const receiptFilter = nullIsAbsent(filterFields).extend({
  currency: currencyCode.nullable().optional(),
});

/** Reports price bounds between which no price is. */
function checkPriceBounds(
  { priceMin, priceMax }: { priceMin?: number; priceMax?: number },
  context: z.RefinementCtx,
): void {
  if (priceMin === undefined || priceMax === undefined || priceMin <= priceMax) return;
  const message = `must not be above \`priceMax\`, which is ${priceMax}; got ${priceMin}`;
  context.addIssue({ code: "custom", path: ["priceMin"], input: priceMin, message });
}

/**
 * Filters on candidates, applied while the columns are scanned. Prices are after discount, in units of the filter's
 * currency. All bounds are inclusive. Null means absent.
 */
export const productFilter = nullIsAbsent(filterFields).superRefine(checkPriceBounds);
export type ProductFilter = z.infer<typeof productFilter>;

/** Returns whether a filter has price bounds. Its expression may compare prices too. */
export const filtersByPrice = ({
  priceMin,
  priceMax,
}: Pick<ProductFilter, "priceMin" | "priceMax">): boolean => priceMin !== undefined || priceMax !== undefined;

/**
 * A filter whose currency is decided. `currency` is null if neither the request, nor the place, nor the products name
 * one: then the prices are those of products without a currency.
 */
export const decidedFilter = decidedFields
  .refine((filter) => filter.currency !== undefined || !filtersByPrice(filter), {
    path: ["currency"],
    message: "must be decided before a filter with a price is applied",
  })
  .refine(({ expression, expressionScope: scope }) => expression === undefined || scope !== undefined, {
    path: ["expressionScope"],
    message: "must be decided before a filter with an expression is applied",
  });
export type DecidedFilter = z.infer<typeof decidedFilter>;

/** What an answer says about its filter. */
export const answerFilter = z.object({
  currency: z
    .string()
    .nullable()
    .meta({
      description:
        "ISO 4217 code of the currency that the filter's prices are in. Null if neither the request, nor the place, nor any " +
        "product names one: then only products without a currency are compared.",
    }),
});
export type AnswerFilter = z.infer<typeof answerFilter>;

/** How far the search for the products of a list went. */
export const searched = z.object({
  /** Radius in km around the location within which every product that matches was found; null without a location. */
  radiusKm: z.number().nullable(),
  /** False if the search ended at its limit of map tiles, so that a product that matches may be missing. */
  complete: z.boolean(),
});
export type Searched = z.infer<typeof searched>;

/** Query of `LocationApi.nearby`: at most 500 products around a point. */
export const nearbyQuery = z.object({
  point,
  limit: z.number().int().min(1).max(500),
  filter: productFilter.default({}),
  /** Products to leave out. */
  exclude: z.array(identifier).max(500).optional(),
  /** The declared attributes that the filter's expression may read; absent for none. */
  attributes: attributeTypes.optional(),
});
export type NearbyQuery = z.infer<typeof nearbyQuery>;

export const nearbyItem = z.object({
  productId: z.string(),
  distanceKm: z.number(),
  title: z.string(),
  category: z.string(),
  /** All categories, the main one first. */
  categories: z.array(z.string()),
  brand: z.string().nullable(),
  /** In units of the currency, before discount. */
  price: z.number().nullable(),
  /** In units of the currency, rounded to its digits, halves up. Filters compare it. */
  priceAfterDiscount: z.number().nullable(),
  currency: z.string().nullable(),
  discount: z.number(),
  available: z.boolean(),
  /** Whether the place of the product is open; true without opening hours. */
  isOpen: z.boolean(),
  groupId: z.string().nullable(),
});
/** Products around a point, nearest first. */
export const nearbyAnswer = z.object({
  items: z.array(nearbyItem),
  searched,
  /** Present if the filter has a price or a currency. */
  filter: answerFilter.optional(),
  /** What is wrong with the location that the query states, for example (0, 0). */
  warnings: z.array(inputWarning).optional(),
});
export type NearbyAnswer = z.infer<typeof nearbyAnswer>;

/** The location fields of `request.cf`, Cloudflare's estimate of where a request came from. */
export const edgeLocation = z.object({
  city: z.string().nullable(),
  country: z.string().nullable(),
  point: point.nullable(),
  timezone: z.string().nullable(),
});
export type EdgeLocation = z.infer<typeof edgeLocation>;

/** Maximum number of points that one call of the location service coarsens. */
export const maxCoarsenedPoints = 1000;
