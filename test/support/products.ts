import type * as z from "zod";
import type { Point } from "../../shared/contracts/primitives.ts";
import type { productInput } from "../../shared/contracts/product.ts";

/** Centers of two cities on different continents. */
export const oslo: Point = { lat: 59.9139, lon: 10.7522 };
export const lima: Point = { lat: -12.0464, lon: -77.0428 };

/** Categories of the generated products. */
export const productCategories = ["books", "coffee", "flowers", "music"];

/** Angle in radians that spreads points evenly over a disk. */
const goldenAngle = 2.399963;
/** Radius of the disk in degrees of latitude: 5 km. */
const maxOffsetDegrees = 0.045;

/** PNG image of one pixel. */
export const onePixelPng = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

/**
 * Returns `count` products within about 5 km of a center, with ids `prefix-0`, `prefix-1`, and so on. They form an even
 * spiral (each at the golden angle from the one before), and the categories alternate.
 */
export function generateProducts(
  prefix: string,
  center: Point,
  count: number,
): z.input<typeof productInput>[] {
  return Array.from({ length: count }, (_, i) => {
    const angle = i * goldenAngle;
    const offset = maxOffsetDegrees * Math.sqrt((i + 0.5) / count);
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
