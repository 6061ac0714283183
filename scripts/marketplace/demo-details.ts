import { hash53 } from "../../model/columns/hash.ts";
import type { DatasetItem } from "../../model/data/dataset.ts";
import type { Attributes } from "../../shared/contracts/attributes.ts";
import type { CatalogSchemaInput } from "../../shared/contracts/catalog-schema.ts";
import type { OpeningHours } from "../../shared/contracts/opening-hours.ts";
import { toInstant } from "../../shared/contracts/primitives.ts";
import type { ProductDetails } from "../../shared/contracts/product-details.ts";
import { daySeconds } from "../../shared/time/seconds.ts";
import { pictureFile } from "./draw-picture.ts";

/** What all products of a category of the demo have in common. */
interface DemoCategory {
  /** Path beside the category's own name, which stays the main category: the model knows products by it. */
  path: string;
  brands: readonly [string, string, string, string];
  /** Completes "…, made by BRAND": what the product is. */
  sentence: string;
  hours: OpeningHours;
  /** Colors of the products; absent where they have none. */
  colors?: readonly string[];
  /** Share of the products that are vegan; absent where nobody asks. */
  veganShare?: number;
  /** Whether some shops deliver. */
  delivers?: true;
}

const everyDay = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const;
const workdays = everyDay.slice(0, 5);
const shopHours: OpeningHours = [
  { days: [...workdays], opens: "10:00", closes: "19:00" },
  { days: ["saturday"], opens: "10:00", closes: "17:00" },
];
const colors = ["black", "white", "red", "green", "blue"];

const demoCategories: Record<string, DemoCategory> = {
  coffee: {
    path: "Food and drink > Drinks > Coffee",
    brands: ["North Roast", "Kaffa", "Blue Kettle", "Daily Grind"],
    sentence: "Freshly ground for each cup",
    hours: [{ days: [...everyDay], opens: "07:00", closes: "18:00" }],
    veganShare: 0.4,
  },
  bakery: {
    path: "Food and drink > Bakery",
    brands: ["Old Mill", "Crumb", "Sunday Oven", "Rye and Co"],
    sentence: "Baked in the night before it is sold",
    hours: [{ days: [...everyDay], opens: "06:30", closes: "14:00" }],
    veganShare: 0.3,
  },
  lunch: {
    path: "Food and drink > Restaurants > Lunch",
    brands: ["Green Fork", "Noon", "Bowl House", "Quick Plate"],
    sentence: "A meal from the market, changed each week",
    hours: [{ days: [...workdays], opens: "11:00", closes: "15:00" }],
    veganShare: 0.5,
    delivers: true,
  },
  dinner: {
    path: "Food and drink > Restaurants > Dinner",
    brands: ["Ember", "Long Table", "Harvest", "Lantern"],
    sentence: "Cooked over an open fire",
    hours: [
      { days: ["tuesday", "wednesday", "thursday", "friday", "saturday"], opens: "17:30", closes: "23:30" },
    ],
    veganShare: 0.2,
  },
  bars: {
    path: "Food and drink > Drinks > Bars",
    brands: ["Velvet", "Copper Rail", "The Late Hour", "Low Tide"],
    sentence: "Mixed in front of you",
    hours: [
      { days: ["wednesday", "thursday", "sunday"], opens: "17:00", closes: "00:30" },
      { days: ["friday", "saturday"], opens: "17:00", closes: "03:00" },
    ],
    veganShare: 0.8,
  },
  groceries: {
    path: "Food and drink > Groceries",
    brands: ["Fieldfare", "Local Crate", "Pantry", "Market Row"],
    sentence: "From farms within an hour's drive",
    hours: [{ days: [...everyDay.slice(0, 6)], opens: "08:00", closes: "22:00" }],
    veganShare: 0.5,
    delivers: true,
  },
  fashion: {
    path: "Fashion > Clothing",
    brands: ["Loom", "Harbor", "Plain Stitch", "Avenue"],
    sentence: "Sewn from certified fabric",
    hours: shopHours,
    colors,
  },
  beauty: {
    path: "Health > Beauty",
    brands: ["Clear Water", "Balm and Bloom", "Pure", "Mirror"],
    sentence: "Without perfume",
    hours: shopHours,
    veganShare: 0.6,
  },
  books: {
    path: "Leisure > Books",
    brands: ["Paper Lane", "Second Shelf", "Atlas Press", "Quiet Page"],
    sentence: "Chosen by the people of the shop",
    hours: shopHours,
  },
  fitness: {
    path: "Health > Fitness",
    brands: ["Pulse", "Uphill", "Open Court", "Flow Studio"],
    sentence: "For beginners and others",
    hours: [{ days: [...everyDay], opens: "06:00", closes: "24:00" }],
  },
  home: {
    path: "Home > Furniture",
    brands: ["Oak and Clay", "Nordlys", "Plain Room", "Workshop Nine"],
    sentence: "Made to be repaired",
    hours: shopHours,
    colors,
    delivers: true,
  },
  electronics: {
    path: "Home > Electronics",
    brands: ["Voltra", "Mini Labs", "Pocketworks", "Clearline"],
    sentence: "With a warranty of three years",
    hours: shopHours,
    colors,
  },
};

/** The attributes that the demo declares. */
export const demoSchema: CatalogSchemaInput = {
  attributes: {
    vegan: { type: "boolean", filterable: true },
    color: { type: "string", filterable: true },
    tags: { type: "list", filterable: true },
    city: { type: "string", filterable: false },
    country: { type: "string", filterable: false },
  },
};

/** Share of the discounted products whose sale ends. */
const saleShare = 0.6;
/** Share of the products of shops that deliver, and how far, in kilometers. */
const deliveryShare = 0.5;
const deliveryRadiiKm = [5, 10, 20];

/** Returns a number from 0 to 1 that a product's id and a purpose determine. */
const drawn = (id: string, purpose: string): number => (hash53(`${purpose} ${id}`) % 100_003) / 100_003;
const pick = <T>(list: readonly T[], share: number): T => list[Math.floor(share * list.length)];

/**
 * Returns the details and attributes of a product of the demo marketplace, which its id determines. `now` is in seconds
 * since the epoch. They change nothing of what the model sees.
 */
export function demoDetails(
  { id, title, category, discount, attributes }: DatasetItem,
  now: number,
): Partial<ProductDetails> & { attributes: Attributes } {
  const demo = demoCategories[category];
  if (!demo) throw new Error(`The demo has no details for the category ${category}.`);
  const brand = pick(demo.brands, drawn(id, "brand"));
  const isDelivered = demo.delivers === true && drawn(id, "delivery") < deliveryShare;
  const sale =
    discount > 0 && drawn(id, "sale") < saleShare
      ? {
          saleFrom: toInstant(now - Math.floor(1 + 6 * drawn(id, "from")) * daySeconds),
          saleUntil: toInstant(now + Math.floor(1 + 13 * drawn(id, "until")) * daySeconds),
        }
      : {};
  const tags = [...(isDelivered ? ["delivery"] : []), ...(drawn(id, "tag") < 0.1 ? ["staff pick"] : [])];
  return {
    description: `${title}. ${demo.sentence}, by ${brand}.`,
    categories: [category, demo.path],
    brand,
    images: [`/assets/${pictureFile(category)}`],
    openingHours: demo.hours,
    ...sale,
    ...(isDelivered ? { serviceRadiusKm: pick(deliveryRadiiKm, drawn(id, "radius")) } : {}),
    attributes: {
      ...attributes,
      ...(demo.veganShare === undefined ? {} : { vegan: drawn(id, "vegan") < demo.veganShare }),
      ...(demo.colors ? { color: pick(demo.colors, drawn(id, "color")) } : {}),
      ...(tags.length > 0 ? { tags } : {}),
    },
  };
}
