import * as z from "zod";
import { type OpeningHours, openingHours } from "./opening-hours.ts";
import { categoryName, wellFormedText } from "./primitives.ts";
import { timestamp } from "./timestamp.ts";

/** Categories of a product, at most. */
export const maxCategories = 16;
/** Images of a product by URL, at most. */
export const maxImageUrls = 10;
const maxUrlCharacters = 2048;

const isWebUrl = (text: string): boolean => /^https?:\/\//i.test(text) && URL.canParse(text);

/** An absolute URL of the web. */
const webUrl = wellFormedText(1, maxUrlCharacters).refine(
  isWebUrl,
  "must be a URL that begins with https:// or http://",
);
/** A URL of an image: absolute, or a path on the server of the API. */
const imageUrl = wellFormedText(1, maxUrlCharacters).refine(
  (text) => isWebUrl(text) || (/^\/[^/\\]/.test(text) && URL.canParse(text, "https://server.invalid")),
  "must be a URL that begins with https:// or http://, or a path that begins with a slash",
);

const saleText =
  "The discount holds from `saleFrom` until just before `saleUntil`; null leaves that end open.";
const availableText =
  "The product is available from `availableFrom` until just before `availableUntil`; null leaves that end open.";

/** The fields of a product that its page, its place and its calendar need, each optional. Null means absent. */
export const detailFields = {
  description: wellFormedText(1, 8192).nullable().default(null),
  categories: z
    .array(categoryName)
    .max(maxCategories)
    .default([])
    .meta({
      description:
        "Paths of the product's categories, such as `Drinks > Coffee`; a filter on `Drinks` finds the product too. " +
        "The first is the main one, by which the model and caps know the product. `category` names only that one.",
    }),
  brand: wellFormedText(1, 128).nullable().default(null),
  url: webUrl.nullable().default(null).meta({ description: "The page of the product in the shop." }),
  images: z.array(imageUrl).max(maxImageUrls).default([]).meta({
    description: "Images by URL, or by path on this server. Answers list uploaded images before them.",
  }),
  saleFrom: timestamp.nullable().default(null).meta({ description: saleText }),
  saleUntil: timestamp.nullable().default(null).meta({ description: saleText }),
  availableFrom: timestamp.nullable().default(null).meta({ description: availableText }),
  availableUntil: timestamp.nullable().default(null).meta({ description: availableText }),
  openingHours: openingHours
    .nullable()
    .default(null)
    .meta({
      description:
        "When the place of the product is open each week, in its local time; in UTC without a location. " +
        "A product without opening hours is always open.",
    }),
  serviceRadiusKm: z
    .number()
    .positive()
    .max(20_100)
    .nullable()
    .default(null)
    .meta({
      description:
        "Distance up to which users around the product's location see it in lists. Without a location of the user or of " +
        "the product, it has no effect.",
    }),
};

/** The input of {@link detailFields}, parsed. */
export interface ProductDetails {
  description: string | null;
  categories: string[];
  brand: string | null;
  url: string | null;
  images: string[];
  saleFrom: string | null;
  saleUntil: string | null;
  availableFrom: string | null;
  availableUntil: string | null;
  openingHours: OpeningHours | null;
  serviceRadiusKm: number | null;
}

/** Name of the category of a product that has none. */
export const unknownCategory = "unknown";

/** The parts of a product that {@link checkDetails} compares. */
interface ComparedFields {
  category?: string;
  categories?: readonly string[];
  saleFrom?: string | null;
  saleUntil?: string | null;
  availableFrom?: string | null;
  availableUntil?: string | null;
}

/** Reports a `category` that is not the first of `categories`, and times that end before they begin. */
export function checkDetails(fields: ComparedFields, context: z.RefinementCtx): void {
  const { category = unknownCategory, categories = [] } = fields;
  if (category !== unknownCategory && categories.length > 0 && categories[0] !== category)
    context.addIssue({
      code: "custom",
      path: ["category"],
      input: category,
      message: `must be the first of \`categories\`, which is ${JSON.stringify(categories[0])}, or be left out`,
    });
  for (const [from, until] of [
    ["saleFrom", "saleUntil"],
    ["availableFrom", "availableUntil"],
  ] as const) {
    const [start, end] = [fields[from], fields[until]];
    if (start && end && Date.parse(start) >= Date.parse(end))
      context.addIssue({
        code: "custom",
        path: [until],
        input: end,
        message: `must be after \`${from}\`, which is ${start}`,
      });
  }
}

/** Returns the categories of a product, the main one first. */
export const categoriesOf = ({
  category,
  categories,
}: {
  category: string;
  categories: readonly string[];
}): [string, ...string[]] => {
  const [first = category, ...others] = categories;
  return [first, ...new Set(others.filter((each) => each !== first))];
};
