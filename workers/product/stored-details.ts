import type { OpeningHours } from "../../shared/contracts/opening-hours.ts";
import { fromInstant, toInstant } from "../../shared/contracts/primitives.ts";
import { categoriesOf, type ProductDetails } from "../../shared/contracts/product-details.ts";

/** The fields of a product that the column `details` holds. An absent field has no key. */
export interface StoredDetails {
  description?: string;
  /** The categories after the main one, which has a column of its own. */
  moreCategories?: string[];
  brand?: string;
  url?: string;
  /** Images by URL. */
  imageUrls?: string[];
  /** Seconds since the Unix epoch. */
  saleFrom?: number;
  saleUntil?: number;
  availableFrom?: number;
  availableUntil?: number;
  openingHours?: OpeningHours;
  serviceRadiusKm?: number;
}

/** The fields of {@link StoredDetails}; null where a field is removed. */
export type DetailChanges = { [Name in keyof StoredDetails]: StoredDetails[Name] | null };

const timeFields = ["saleFrom", "saleUntil", "availableFrom", "availableUntil"] as const;
const plainFields = ["description", "brand", "url", "openingHours", "serviceRadiusKm"] as const;

/** Returns null in place of an empty list. */
const orNull = (list: readonly string[]): string[] | null => (list.length > 0 ? [...list] : null);

/** Returns what the given fields of a product change in its stored details. */
export function detailChangesOf({ categories, images, ...fields }: Partial<ProductDetails>): DetailChanges {
  const changes: Record<string, unknown> = {};
  for (const name of plainFields) if (fields[name] !== undefined) changes[name] = fields[name];
  for (const name of timeFields) {
    const time = fields[name];
    if (time !== undefined) changes[name] = time === null ? null : fromInstant(time);
  }
  if (images !== undefined) changes.imageUrls = orNull(images);
  if (categories !== undefined)
    changes.moreCategories = orNull(categoriesOf({ category: "", categories }).slice(1));
  return changes;
}

/** Returns the stored details of a whole product. */
export const storedDetailsOf = (fields: ProductDetails): StoredDetails =>
  Object.fromEntries(Object.entries(detailChangesOf(fields)).filter(([, value]) => value !== null));

/** Returns the details of a stored product, without its images, as the API returns them. */
export function detailsOf(category: string, stored: StoredDetails): Omit<ProductDetails, "images"> {
  const {
    description = null,
    brand = null,
    url = null,
    openingHours = null,
    serviceRadiusKm = null,
  } = stored;
  const timeOf = (name: (typeof timeFields)[number]): string | null => {
    const time = stored[name];
    return time === undefined ? null : toInstant(time);
  };
  return {
    ...{ description, brand, url, openingHours, serviceRadiusKm },
    categories: [category, ...(stored.moreCategories ?? []).filter((each) => each !== category)],
    saleFrom: timeOf("saleFrom"),
    saleUntil: timeOf("saleUntil"),
    availableFrom: timeOf("availableFrom"),
    availableUntil: timeOf("availableUntil"),
  };
}
