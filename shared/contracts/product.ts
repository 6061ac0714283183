import * as z from "zod";
import { attributes } from "./attributes.ts";
import { columnValue } from "./column-value.ts";
import { excessDigits } from "./excess-digits.ts";
import { maxAmount } from "./minor-units.ts";
import { nullIsAbsent, nullResets } from "./null-is-absent.ts";
import { openingHours } from "./opening-hours.ts";
import { categoryName, currencyCode, identifier, instant, point, wellFormedText } from "./primitives.ts";
import { checkDetails, detailFields, unknownCategory } from "./product-details.ts";
import { totals } from "./totals.ts";

/** An amount of money in a request, in units of the currency. */
const amount = z.number().min(0).max(maxAmount).nullable();
const discount = z.number().min(0).max(1);
const title = wellFormedText(1, 512);
/** Names the group of a product's variants: sizes of a shirt, or one product in several shops. */
const groupId = identifier.nullable();

const priceText =
  "Before discount, in units of the currency, with at most as many digits after the decimal point as ISO 4217 gives the " +
  "currency: 2 for EUR and for an amount without a currency, 0 for JPY, 3 for KWD.";
const discountText = "Share of the price, 0 to 1. Six digits count in prices and filters.";
const groupText =
  "Names the group of the product's variants: sizes of a shirt, or one product in several shops.";

const fields = z.strictObject({
  id: identifier,
  title,
  category: categoryName.default(unknownCategory),
  price: amount.default(null).meta({ description: priceText }),
  currency: currencyCode.nullable().default(null),
  discount: discount.default(0).meta({ description: discountText }),
  rating: z.number().min(0).max(10).nullable().default(null),
  location: point.nullable().default(null),
  available: z.boolean().default(true),
  groupId: groupId.default(null).meta({ description: groupText }),
  attributes: attributes.default({}),
  ...detailFields,
});

/** The fields of {@link productInput}, before the price is compared with its currency. */
export const productFields = nullIsAbsent(fields);

/**
 * Reports a price with more digits than its currency has, which would not be exact. A price whose currency the input
 * does not contain is not checked.
 */
export function checkPrice(
  { price, currency }: { price?: number | null; currency?: string | null },
  context: z.RefinementCtx,
): void {
  if (price === undefined || price === null || currency === undefined) return;
  // The schema of the amount reports it.
  if (price < 0 || price > maxAmount) return;
  const message = excessDigits(price, currency);
  if (message !== null) context.addIssue({ code: "custom", path: ["price"], input: price, message });
}

/** Reports what {@link checkPrice} and {@link checkDetails} do. */
export function checkProduct(
  input: Parameters<typeof checkPrice>[0] & Parameters<typeof checkDetails>[0],
  context: z.RefinementCtx,
): void {
  checkPrice(input, context);
  checkDetails(input, context);
}

/** A product as a client writes it. Null means absent. */
export const productInput = productFields.superRefine(checkProduct);
export type ProductInput = z.infer<typeof productInput>;
/** A product in the body of a request: fields that may be absent are optional. */
export type ProductBody = z.input<typeof productInput>;

/**
 * Body of `PATCH /v1/products/{id}`: the fields to change; other fields keep their value. Null sets a field to what it has
 * where it is absent in {@link productInput}; a title cannot be absent.
 */
export const productPatch = z
  .strictObject({
    title,
    category: nullResets(categoryName, unknownCategory),
    price: amount.meta({ description: priceText }),
    currency: currencyCode.nullable(),
    discount: nullResets(discount, 0).meta({ description: discountText }),
    rating: z.number().min(0).max(10).nullable(),
    location: point.nullable(),
    available: nullResets(z.boolean(), true),
    groupId: groupId.meta({ description: groupText }),
    attributes: nullResets(attributes, {}),
    description: detailFields.description.unwrap(),
    categories: nullResets(detailFields.categories.unwrap(), []),
    brand: detailFields.brand.unwrap(),
    url: detailFields.url.unwrap(),
    images: nullResets(detailFields.images.unwrap(), []),
    saleFrom: detailFields.saleFrom.unwrap(),
    saleUntil: detailFields.saleUntil.unwrap(),
    availableFrom: detailFields.availableFrom.unwrap(),
    availableUntil: detailFields.availableUntil.unwrap(),
    openingHours: detailFields.openingHours.unwrap(),
    serviceRadiusKm: detailFields.serviceRadiusKm.unwrap(),
  })
  .partial()
  .superRefine(checkProduct);
export type ProductPatch = z.infer<typeof productPatch>;

/** A stored product. `images` are the paths of its uploaded images, then those by URL. */
export const product = z.object({
  id: identifier,
  title: z.string(),
  /** The first of the categories. */
  category: z.string(),
  categories: z.array(z.string()),
  description: z.string().nullable(),
  brand: z.string().nullable(),
  url: z.string().nullable(),
  price: z.number().nullable(),
  currency: z.string().nullable(),
  discount: z.number(),
  saleFrom: instant.nullable(),
  saleUntil: instant.nullable(),
  rating: z.number().nullable(),
  location: point.nullable(),
  available: z.boolean(),
  availableFrom: instant.nullable(),
  availableUntil: instant.nullable(),
  openingHours: openingHours.nullable(),
  serviceRadiusKm: z.number().nullable(),
  groupId: z.string().nullable(),
  attributes,
  images: z.array(z.string()),
  updatedAt: instant,
});
export type Product = z.infer<typeof product>;

/** A stored product with the lifetime counts of its interactions. */
export const productWithTotals = product.extend({ totals });
export type ProductWithTotals = z.infer<typeof productWithTotals>;

/** The part of a product that recommendations show and that ingest reads for an event. */
export const productCard = z.object({
  id: identifier,
  title: z.string(),
  category: z.string(),
  /** In units of the currency, before discount. */
  price: z.number().nullable(),
  /** In units of the currency, rounded to its digits, halves up. Filters compare it. */
  priceAfterDiscount: z.number().nullable(),
  currency: z.string().nullable(),
  discount: z.number(),
  rating: z.number().nullable(),
  available: z.boolean(),
  groupId: z.string().nullable(),
  /** The first image: the path of an uploaded one, or a URL. */
  image: z.string().nullable(),
  /** The page of the product in the shop; absent in cards of earlier releases. */
  url: z.string().nullable().optional(),
  location: point.nullable(),
  /** The product's values in optional columns of tiles; absent in cards of earlier releases. */
  columns: z.array(columnValue).optional(),
  /** The product's address in the spatial index. */
  cell: z.string(),
  /** Version of the product; grows by one with each write. */
  version: z.number().int(),
});
export type ProductCard = z.infer<typeof productCard>;

/** A product as answers show it: its card at the time of the answer, without what only other workers need. */
export const shownProduct = productCard.omit({ columns: true, cell: true, version: true }).extend({
  /** All categories, the main one first. */
  categories: z.array(z.string()),
  brand: z.string().nullable(),
  url: z.string().nullable(),
  /** When the discount ends; null for no end, and outside of a sale. */
  saleUntil: instant.nullable(),
  /** Whether the place of the product is open; true without opening hours. */
  isOpen: z.boolean(),
});
export type ShownProduct = z.infer<typeof shownProduct>;

/** Request for the card of a product, at `version` or newer; 0 accepts any version. */
export const cardRequest = z.object({ productId: identifier, version: z.number().int().min(0) });
export type CardRequest = z.infer<typeof cardRequest>;

/** Returns card requests that accept any version of the products. */
export const cardsOfAnyVersion = (productIds: readonly string[]): CardRequest[] =>
  productIds.map((productId) => ({ productId, version: 0 }));

/** The state of a product that the product worker sends to the spatial index. A cell removes a `deleted` product. */
export const productChange = z.object({
  productId: identifier,
  /** Grows by one with each write of the product. The spatial index keeps the newest version. */
  version: z.number().int().min(1),
  deleted: z.boolean(),
  title: z.string(),
  category: z.string(),
  /** Whole minor units of the currency (cents for EUR), before discount. */
  priceMinor: z.number().int().nullable(),
  currency: z.string().nullable(),
  discount: z.number(),
  rating: z.number().nullable(),
  available: z.boolean(),
  groupId: z.string().nullable(),
  /** The product's values in optional columns of tiles; absent in changes of earlier releases. */
  columns: z.array(columnValue).optional(),
  location: point.nullable(),
  /** The product's previous address, if the product moved; null otherwise. */
  previousCell: z.string().nullable(),
  /** Seconds since the epoch. */
  createdAt: z.number(),
});
export type ProductChange = z.infer<typeof productChange>;

/** Lines that a {@link BulkReport} lists at most. */
export const maxReportedLines = 100;

/** A line of a bulk request that was refused. */
export const refusedLine = z.object({
  /** Number of the line, from 1. */
  line: z.number().int(),
  code: z.string(),
  /** The wrong field; absent if the line is no JSON object. */
  path: z.string().optional(),
  /** What is right, and what was found. */
  message: z.string(),
  /** The fields that differ from the stored event (for `event_id_conflict`). */
  fields: z.array(z.string()).optional(),
});
export type RefusedLine = z.infer<typeof refusedLine>;

/** A line of a bulk request that was accepted and not stored as it was sent. */
export const warnedLine = z.object({
  /** Number of the line, from 1. */
  line: z.number().int(),
  code: z.string(),
  /** What was done instead, and why. */
  message: z.string(),
});
export type WarnedLine = z.infer<typeof warnedLine>;

/** Result of a bulk request. `errors` lists the first 100 refused lines, ascending. */
export const bulkReport = z.object({
  received: z.number().int(),
  accepted: z.number().int(),
  duplicates: z.number().int(),
  rejected: z.number().int(),
  errors: z.array(refusedLine).max(maxReportedLines),
  /** Number of refused lines that `errors` does not list; absent if it lists all. */
  errorsOmitted: z.number().int().optional(),
  /** The first 100 accepted lines with a warning, ascending; absent if there is none. */
  warnings: z.array(warnedLine).max(maxReportedLines).optional(),
  /** Number of warnings that `warnings` does not list; absent if it lists all. */
  warningsOmitted: z.number().int().optional(),
});
export type BulkReport = z.infer<typeof bulkReport>;
