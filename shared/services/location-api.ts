import type { EdgeLocation, NearbyAnswer, NearbyQuery, ResolvedLocation } from "../contracts/location.ts";
import type { Point, Precision } from "../contracts/primitives.ts";
import type { ProductChange } from "../contracts/product.ts";
import type { CellContent, ProductRange } from "../contracts/rebuild.ts";
import type { Result } from "../contracts/result.ts";
import type {
  CandidateBlocks,
  CandidateRequest,
  FirstStageQuery,
  ProductRef,
} from "../contracts/retrieval.ts";
import type { ProductTotals, Transition, UnknownProduct } from "../contracts/totals.ts";
import type { ReadinessApi } from "./worker-api.ts";

/**
 * RPC interface of the location worker: the gazetteer, the precision of coordinates, and the spatial index.
 * Answers of type `ArrayBuffer` are columns of products, encoded by `model/columns`.
 */
export interface LocationApi extends ReadinessApi {
  /** Returns the city, country and timezone of a point. */
  resolveLocation(point: Point): Promise<Result<ResolvedLocation>>;
  /**
   * Returns a point at the given precision, with its city. Precision `city` moves the point to the city's center, or to
   * the center of a cell of about 45 km if there is no city.
   */
  coarsen(point: Point, precision: Precision): Promise<Result<{ point: Point; place: ResolvedLocation }>>;
  /** Returns at most 1,000 points coarsened to a precision, in their order. */
  coarsenPoints(points: Point[], precision: Precision): Promise<Result<Point[]>>;
  /** Returns the point that Cloudflare's edge estimates for a request; null if the edge gives no estimate. */
  edgePoint(edge: EdgeLocation): Promise<Result<Point | null>>;
  /** Returns products around a point, nearest first, at most 500. */
  nearby(application: string, query: NearbyQuery): Promise<Result<NearbyAnswer>>;
  /**
   * Returns the currency of a filter that has a price and names none: that of the point's country, else that of most
   * popular products; null if there is neither.
   */
  filterCurrency(application: string, point: Point | null): Promise<Result<string | null>>;
  /** Returns the candidates for one recommendation, and the city, country and timezone of the user's location. */
  gatherCandidates(
    application: string,
    query: CandidateRequest,
  ): Promise<Result<CandidateBlocks<ArrayBuffer>>>;
  /** Returns the currencies that `filterCurrency` returns for at most 100 points, in their order. */
  filterCurrencies(application: string, points: (Point | null)[]): Promise<Result<(string | null)[]>>;
  /**
   * Returns what `gatherCandidates` returns for at most 100 queries, in their order. Null for those that one call has no
   * reads left for: call again with these. The first query is always answered.
   */
  gatherManyCandidates(
    application: string,
    queries: CandidateRequest[],
  ): Promise<Result<(CandidateBlocks<ArrayBuffer> | null)[]>>;
  /**
   * Returns the columns of the best `limit` products (at most 1,000) by the first stage, near the user and their
   * usual places. Products from farther away fill up a sparse area. Without a point and a usual place, the whole
   * world counts.
   */
  firstStageCandidates(application: string, query: FirstStageQuery): Promise<Result<ArrayBuffer>>;
  /**
   * Returns the columns of the products `wanted` (at most 1,000), wherever they are now, without unknown ones. The
   * first `withNextProducts` contain their next products.
   */
  productColumns(
    application: string,
    wanted: readonly ProductRef[],
    withNextProducts: number,
  ): Promise<Result<ArrayBuffer>>;
  /**
   * Applies at most 1,000 product changes to the cells. Idempotent: a cell keeps the newest version of each product.
   * The consumer of queue `catalogue` calls it.
   */
  applyProductChanges(application: string, changes: ProductChange[]): Promise<Result<{ applied: number }>>;
  /**
   * Replaces the products of a range in the cells by `products` (at most 1,000), without next products. Returns the
   * number of cells rebuilt.
   */
  rebuildCells(
    application: string,
    range: ProductRange,
    products: CellContent[],
  ): Promise<Result<{ cells: number }>>;
  /**
   * Applies totals and transitions to the cells. Idempotent: a cell keeps the larger counts of an hour and each
   * transition key once. Returns how many interactions were new, and the products whose complete hours the cells need.
   * The consumer of queue `interactions` calls it.
   */
  applyTotals(
    application: string,
    totals: (ProductTotals & { cell: string })[],
    transitions: (Transition & { fromCell: string })[],
  ): Promise<Result<{ applied: number; unknown: UnknownProduct[] }>>;
}
