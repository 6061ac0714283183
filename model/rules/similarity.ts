import { decay } from "../../shared/geo/decay.ts";
import { earthRadiusKm } from "../../shared/geo/distance.ts";
import { categoryOf } from "../columns/columns.ts";
import type { BlockRow } from "../features/list-summary.ts";

/** Similarity of two products of the same category, and of two at the same place at most; together at most 1. */
const categorySimilarity = 0.5;
const placeSimilarity = 0.5;

/** Sides in km of the squares that say how near two products are, the smallest first. */
const sidesKm = [0.25, 1, 4] as const;
/** Mean distance of two points of a square, in sides. */
const meanDistanceInSides = 0.52;
/** Similarity of two products whose smallest shared square has each of the sides. */
const sharedSquareSimilarity = sidesKm.map((km) => placeSimilarity * decay(meanDistanceInSides * km));

const kmPerDegree = (earthRadiusKm * Math.PI) / 180;
const radians = Math.PI / 180;
/** More than the number of squares around the Earth, so that the number of a square is unique. */
const squaresPerRow = 2 ** 18;

/**
 * What the similarity of products reads: the category, and the squares that contain the product, by their sides. Empty
 * for a product without a location.
 */
export interface Traits {
  category: string;
  squares: readonly number[];
}

/** Returns the traits of a product. */
export function traitsOf({ block, row }: BlockRow): Traits {
  const lat = block.lat[row];
  const lon = block.lon[row];
  const category = categoryOf(block, row);
  if (Number.isNaN(lat) || Number.isNaN(lon)) return { category, squares: [] };
  const squares = sidesKm.map((km) => {
    const y = Math.floor((lat * kmPerDegree) / km);
    const rowLatitude = ((y + 0.5) * km) / kmPerDegree;
    const x = Math.floor((lon * kmPerDegree * Math.cos(rowLatitude * radians)) / km);
    return y * squaresPerRow + x;
  });
  return { category, squares };
}

/** Returns the similarity of two products, 0..1: half for the same category, up to half for a shared square. */
export function similarityOf(a: Traits, b: Traits): number {
  const level = a.squares.findIndex((square, i) => square === b.squares[i]);
  return (
    (a.category === b.category ? categorySimilarity : 0) + (level < 0 ? 0 : sharedSquareSimilarity[level])
  );
}

/** The squares of some products, by their sides. */
class SquareSets {
  readonly #sets = sidesKm.map(() => new Set<number>());

  add(squares: readonly number[]): void {
    for (let level = 0; level < squares.length; level++) this.#sets[level].add(squares[level]);
  }

  /** Returns the largest similarity by place to a product of these squares. */
  similarityTo(squares: readonly number[]): number {
    for (let level = 0; level < squares.length; level++)
      if (this.#sets[level].has(squares[level])) return sharedSquareSimilarity[level];
    return 0;
  }
}

/**
 * The products that a list has so far. It answers how similar a product is to the most similar of them without a loop
 * over them. The answer for one product grows, and has at most {@link similarityValues} values.
 */
export class SelectedProducts {
  readonly #all = new SquareSets();
  readonly #byCategory = new Map<string, SquareSets>();

  add({ category, squares }: Traits): void {
    this.#all.add(squares);
    let own = this.#byCategory.get(category);
    if (!own) {
      own = new SquareSets();
      this.#byCategory.set(category, own);
    }
    own.add(squares);
  }

  /** Returns the largest {@link similarityOf} of a product and a selected one; 0 if none is selected. */
  maxSimilarity({ category, squares }: Traits): number {
    const own = this.#byCategory.get(category);
    const toOwn = own ? categorySimilarity + own.similarityTo(squares) : 0;
    return Math.max(toOwn, this.#all.similarityTo(squares));
  }
}

/** Number of different similarities: no square or one of the sides, with and without the same category. */
export const similarityValues = 2 * (sidesKm.length + 1);
