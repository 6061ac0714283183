import type { z } from "zod";
import type { Point } from "../shared/contracts/primitives.ts";
import type { productInput } from "../shared/contracts/product.ts";

/** Two towns far apart. */
export const oslo: Point = { lat: 59.9139, lon: 10.7522 };
export const lima: Point = { lat: -12.0464, lon: -77.0428 };

export const productCategories = ["books", "coffee", "flowers", "music"];

/** A sunflower of products around a place: `count` of them, within about 5 km, categories in turn. */
export function generateProducts(
  prefix: string,
  center: Point,
  count: number,
): z.input<typeof productInput>[] {
  return Array.from({ length: count }, (_, i) => {
    const angle = i * 2.399963;
    const offset = 0.045 * Math.sqrt((i + 0.5) / count);
    const category = productCategories[i % productCategories.length];
    return {
      id: `${prefix}-${i}`,
      title: `${category} ${i} of ${prefix}`,
      category,
      price: 5 + i,
      currency: "EUR",
      location: {
        lat: center.lat + offset * Math.cos(angle),
        lon: center.lon + (offset * Math.sin(angle)) / Math.cos((center.lat * Math.PI) / 180),
      },
    };
  });
}
