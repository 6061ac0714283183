import type { ForwardingLookup } from "../../model/retrieval/product-columns.ts";
import { makeProduct } from "../../model/retrieval/testing.ts";
import type { TileSource } from "../../model/retrieval/tile-source.ts";
import { simulatedCities } from "../../model/simulate/cities.ts";
import { buildPyramid } from "../../model/tiles/build-pyramid.ts";
import type { CellProduct } from "../../model/tiles/cell-product.ts";
import { Random } from "../../model/train/random.ts";
import type { Point } from "../../shared/contracts/primitives.ts";

/** Categories of the catalog; each city has all of them. */
const categoryCount = 60;
/** Standard deviation of the distance between a product and the center of its city, in degrees of latitude. */
const spreadDegrees = 0.15;
/** The category of the one rare product, and where it is: far from most cities. */
export const rareCategory = "observatory tickets";
const rarePoint: Point = { lat: -24.63, lon: -70.4 };

/** Builds the tiles of `count` products around the simulated cities, and of one rare product, as of `now` (seconds). */
export function buildWideCatalog(count: number, now: number): TileSource & ForwardingLookup {
  const random = new Random(17);
  const products: CellProduct[] = [];
  const add = (productId: string, category: string, location: Point, priceMinor: number): void => {
    products.push(makeProduct(productId, location, { category, priceMinor, createdAt: now }));
  };
  for (let i = 0; i < count; i++) {
    const city = simulatedCities[random.below(simulatedCities.length)];
    const north = random.normal() * spreadDegrees;
    const east = (random.normal() * spreadDegrees) / Math.cos((city.lat * Math.PI) / 180);
    const category = random.below(categoryCount);
    // Each category has prices of its own: 100 cents for the first, 200 for the second.
    add(
      `p${i}`,
      `category ${category}`,
      { lat: city.lat + north, lon: city.lon + east },
      100 * (category + 1),
    );
  }
  add("rare", rareCategory, rarePoint, 4200);
  return buildPyramid(products, now, () => () => 0);
}
