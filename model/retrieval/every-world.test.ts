import fc from "fast-check";
import { expect, it } from "vitest";
import type { DecidedFilter } from "../../shared/contracts/location.ts";
import type { Point } from "../../shared/contracts/primitives.ts";
import { distanceKm } from "../../shared/geo/distance.ts";
import { unitVectors } from "../../shared/geo/sphere.ts";
import { decodeColumns } from "../columns/columns.ts";
import { buildLeafTile } from "../tiles/build-tiles.ts";
import type { CellProduct } from "../tiles/cell-product.ts";
import { maxVariants } from "./candidate-caps.ts";
import { compileProductTest } from "./filter.ts";
import { defaultFirstStage } from "./first-stage.ts";
import { firstStageCandidates } from "./first-stage-candidates.ts";
import { nearestRows } from "./nearest-rows.ts";
import { usualReachKm } from "./reach.ts";
import { applyDistanceTerm, proximityPointsOf, scoreRows } from "./score-rows.ts";
import { idsOf, makeProduct, pyramid, time } from "./testing.ts";

/** Generated worlds for each of the two lists around a location. */
const worlds = 2000;

const categories = ["cafe", "books", "jazz", "park"];
const anywhere: fc.Arbitrary<Point> = fc.record({
  lat: fc.double({ min: -90, max: 90, noNaN: true }),
  lon: fc.double({ min: -180, max: 180, noNaN: true }),
});
/** Places where maps tend to break: the poles, the antimeridian, the equator. */
const edges: fc.Arbitrary<Point> = fc.constantFrom(
  { lat: 90, lon: 0 },
  { lat: -90, lon: 0 },
  { lat: 89.9, lon: 135 },
  { lat: 16.5, lon: 180 },
  { lat: -17.8, lon: -179.99 },
  { lat: 0, lon: 179.999 },
  { lat: 0.001, lon: 0.001 },
);
const centers = fc.oneof(anywhere, edges);
const wrap = (lon: number): number => ((((lon + 180) % 360) + 360) % 360) - 180;
/** Points within about `spread` degrees of a center. */
const around = (center: Point, spread: number): fc.Arbitrary<Point> =>
  fc
    .tuple(
      fc.double({ min: -spread, max: spread, noNaN: true }),
      fc.double({ min: -spread, max: spread, noNaN: true }),
    )
    .map(([north, east]) => ({
      lat: Math.max(-90, Math.min(90, center.lat + north)),
      lon: wrap(center.lon + east / Math.max(0.05, Math.cos((center.lat * Math.PI) / 180))),
    }));

/** The locations of a world's products: dense, sparse, clustered, or without a location. */
const locations: fc.Arbitrary<(Point | null)[]> = fc.oneof(
  centers.chain((center) => fc.array(around(center, 0.05), { minLength: 20, maxLength: 120 })),
  fc.array(anywhere, { maxLength: 40 }),
  fc
    .array(centers, { minLength: 1, maxLength: 4 })
    .chain((towns) =>
      fc.array(fc.oneof(...towns.map((town) => around(town, 0.3))), { minLength: 5, maxLength: 120 }),
    ),
  fc.array(fc.oneof(fc.constant(null), anywhere), { maxLength: 40 }),
);

const world: fc.Arbitrary<CellProduct[]> = locations.chain((places) =>
  fc
    .array(
      fc.record({
        category: fc.constantFrom(...categories),
        available: fc.boolean(),
        discount: fc.constantFrom(0, 0.2, 0.7),
        priceMinor: fc.constantFrom(null, 100, 1995, 8000),
        currency: fc.constantFrom("EUR", "USD", null),
        groupId: fc.constantFrom(null, null, null, "shirt", "lamp"),
        purchases: fc.nat(30),
      }),
      { minLength: places.length, maxLength: places.length },
    )
    .map((traits) =>
      places.map((place, i) => {
        const { purchases, ...change } = traits[i];
        return makeProduct(`p${i}`, place, change, purchases);
      }),
    ),
);

const query = fc.record({
  limit: fc.integer({ min: 1, max: 30 }),
  radiusKm: fc.option(fc.constantFrom(1, 30, 500, 8000), { nil: undefined }),
  categories: fc.option(fc.subarray(categories, { minLength: 1 }), { nil: undefined }),
  priceMax: fc.option(fc.constantFrom(1, 19.95, 50), { nil: undefined }),
  discountMin: fc.option(fc.constantFrom(0.2, 0.7), { nil: undefined }),
  includeUnavailable: fc.boolean(),
  excluded: fc.array(fc.nat(120), { maxLength: 60 }),
  /** Whether an expression says what the other fields of the filter would say. */
  isExpression: fc.boolean(),
});

/** A world, with the index of the product near which the query is, or a point of its own. */
const cases = fc.record({
  products: world,
  here: fc.oneof(centers, fc.nat(200)),
  query,
});

interface Query {
  point: Point;
  filter: DecidedFilter;
  /** What the filter means: the filter itself, unless it has an expression. */
  meaning: DecidedFilter;
  exclude: string[];
  limit: number;
}

function queryOf(
  products: readonly CellProduct[],
  here: Point | number,
  { excluded, limit, isExpression, ...filter }: typeof query extends fc.Arbitrary<infer Q> ? Q : never,
): Query {
  const near =
    typeof here === "number" ? products[here % Math.max(1, products.length)]?.change.location : here;
  const meaning = {
    ...Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)),
    ...(filter.priceMax === undefined ? {} : { currency: "EUR" }),
  };
  return {
    point: near ?? { lat: 48.85, lon: 2.35 },
    filter: isExpression ? expressionFilterOf(meaning) : meaning,
    meaning,
    exclude: excluded.map((i) => `p${i}`),
    limit,
  };
}

/** Returns a filter with an expression that means the same as another filter. */
function expressionFilterOf({
  categories: wanted,
  priceMax,
  discountMin,
  radiusKm,
  includeUnavailable,
}: DecidedFilter): DecidedFilter {
  const conditions = [
    ...(wanted ? [`product.category in ${JSON.stringify(wanted)}`] : []),
    ...(priceMax === undefined ? [] : [`product.price <= ${priceMax}`]),
    ...(discountMin === undefined ? [] : [`product.discount >= ${discountMin}`]),
    ...(radiusKm === undefined ? [] : [`distanceKm <= ${radiusKm}`]),
  ];
  return {
    includeUnavailable,
    expression: conditions.join(" && ") || "true",
    expressionScope: { currency: "EUR", now: time, offsetSeconds: 0, user: null },
  };
}

/** Returns whether a product passes a query, by the words of the API and without any index. */
function passes({ change }: CellProduct, { point, meaning, exclude }: Query): boolean {
  const { categories: wanted, priceMax, discountMin, radiusKm, includeUnavailable } = meaning;
  const paid = change.priceMinor === null ? null : Math.round(change.priceMinor * (1 - change.discount));
  const km = kmTo(point, change.location);
  return (
    !exclude.includes(change.productId) &&
    (includeUnavailable || change.available) &&
    (!wanted || wanted.includes(change.category)) &&
    (priceMax === undefined || (paid !== null && change.currency !== "USD" && paid <= priceMax * 100)) &&
    (discountMin === undefined || change.discount >= discountMin) &&
    (radiusKm === undefined || (km !== null && km <= radiusKm))
  );
}

/** Returns the first `perGroup` products of each group, and all without a group. */
function firstOfGroups<P extends { groupId: string | null }>(list: readonly P[], perGroup: number): P[] {
  return list.filter(
    ({ groupId }, i) =>
      groupId === null || list.slice(0, i).filter((earlier) => earlier.groupId === groupId).length < perGroup,
  );
}

const kmTo = (point: Point, location: Point | null): number | null =>
  location && distanceKm(point.lat, point.lon, location.lat, location.lon);

it("the nearest products of any world are those of a search through all products", async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ products, here, query }) => {
      const asked = queryOf(products, here, query);
      const byDistance = products
        .filter((each) => each.change.location !== null && passes(each, asked))
        .map(({ change }) => ({ ...change, km: kmTo(asked.point, change.location) ?? Number.NaN }))
        .sort((a, b) => a.km - b.km);
      const expected = firstOfGroups(byDistance, 1)
        .map(({ km }) => km)
        .slice(0, asked.limit);
      const test = compileProductTest({ ...asked, now: time });
      const { rows, searched } = await nearestRows(pyramid(products), {
        point: asked.point,
        limit: asked.limit,
        radiusKm: test.radiusKm,
        test,
        maxTiles: 10_000,
      });
      expect(searched.complete).toBe(true);
      expect(rows.map((row) => row.distanceKm)).toEqual(expected);
    }),
    { numRuns: worlds },
  );
}, 300_000);

/** Returns the first-stage score of every product, by id: from one block, without tiles and without a search. */
function scoresOf(products: readonly CellProduct[], point: Point | null): Map<string, number> {
  const block = decodeColumns(buildLeafTile("", 1, time, products, () => 0));
  if (!block) throw new Error("a fresh block must decode");
  const scores = new Float64Array(block.count);
  const points = proximityPointsOf(point, [], defaultFirstStage);
  scoreRows(block, points, new Map(), defaultFirstStage, 0, scores);
  if (point) applyDistanceTerm(block, unitVectors([point.lat], [point.lon], 1), scores);
  return new Map(idsOf(block).map((id, row) => [id, scores[row]]));
}

it("the candidates of any world are those of a search through all products", async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ products, here, query }) => {
      const asked = queryOf(products, here, query);
      const matching = products.filter((each) => passes(each, asked));
      const scores = scoresOf(matching, asked.point);
      const ranking = matching
        .map(({ change }) => ({ ...change, score: scores.get(change.productId) ?? Number.NaN }))
        .sort((a, b) => b.score - a.score);
      const expected = firstOfGroups(ranking, maxVariants).slice(0, asked.limit);
      const found = await firstStageCandidates(pyramid(products), { ...common, ...asked });
      const ids = idsOf(found);
      expect(found.meta.searched?.complete).toBe(true);
      expect(new Set(ids).size).toBe(ids.length);
      // Products of the same score may come in any order.
      expect(ids.map((id) => scores.get(id))).toEqual(expected.map(({ score }) => score));
      // What is near comes first, and what is beyond reach follows by distance.
      const far = ids
        .map(
          (id) =>
            kmTo(
              asked.point,
              matching.find(({ change }) => change.productId === id)?.change.location ?? null,
            ) ?? 0,
        )
        .filter((km) => km > 1.5 * usualReachKm)
        // Millimeters: the two ways to compute a distance differ by less.
        .map((km) => Math.round(km * 1e6));
      expect(far).toEqual([...far].sort((a, b) => a - b));
    }),
    { numRuns: worlds },
  );
}, 300_000);

it("without a location, the candidates of any world are those of a search through all products", async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ products, query }) => {
      const { radiusKm: _radiusKm, ...rest } = query;
      const asked = {
        ...queryOf(products, { lat: 0, lon: 0 }, { ...rest, radiusKm: undefined }),
        point: null,
      };
      const matching = products.filter((each) => passes(each, { ...asked, point: { lat: 0, lon: 0 } }));
      const scores = scoresOf(matching, null);
      const ranking = matching
        .map(({ change }) => ({ ...change, score: scores.get(change.productId) ?? Number.NaN }))
        .sort((a, b) => b.score - a.score);
      const found = await firstStageCandidates(pyramid(products), { ...common, ...asked });
      expect(found.meta.searched).toEqual({ radiusKm: null, complete: true });
      expect(idsOf(found).map((id) => scores.get(id))).toEqual(
        firstOfGroups(ranking, maxVariants)
          .slice(0, asked.limit)
          .map(({ score }) => score),
      );
    }),
    { numRuns: 500 },
  );
}, 300_000);

it("a dense world hides no product within the radius that the answer names", async () => {
  await fc.assert(
    fc.asyncProperty(
      centers.chain((center) =>
        fc.record({
          point: fc.constant(center),
          places: fc.array(around(center, 0.4), { minLength: 800, maxLength: 1500 }),
          purchases: fc.array(fc.nat(50), { minLength: 10, maxLength: 10 }),
          limit: fc.integer({ min: 1, max: 60 }),
        }),
      ),
      async ({ point, places, purchases, limit }) => {
        const products = places.map((place, i) => makeProduct(`p${i}`, place, {}, purchases[i % 10]));
        const found = await firstStageCandidates(pyramid(products), { ...common, point, limit, filter: {} });
        const { radiusKm, complete } = found.meta.searched ?? { radiusKm: null, complete: false };
        expect(complete).toBe(true);
        const scores = scoresOf(products, point);
        const ids = idsOf(found);
        expect(ids).toHaveLength(limit);
        const within = products.filter(
          ({ change }) =>
            (kmTo(point, change.location) ?? 0) < (radiusKm ?? 0) || ids.includes(change.productId),
        );
        const best = within.map(({ change }) => scores.get(change.productId) ?? 0).sort((a, b) => b - a);
        expect(ids.map((id) => scores.get(id))).toEqual(best.slice(0, limit));
      },
    ),
    { numRuns: 30 },
  );
}, 300_000);

const common = { usual: [], categories: [], hour: null, now: time, weights: defaultFirstStage };
