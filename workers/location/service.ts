import { WorkerEntrypoint } from "cloudflare:workers";
import * as z from "zod";
import { gatherCandidates } from "../../model/candidate-sources/gather-candidates.ts";
import { tileCandidateStore } from "../../model/candidate-sources/in-process-candidates.ts";
import { type Columns, categoryOf, groupIdOf } from "../../model/columns/columns.ts";
import { compileIsOpen } from "../../model/columns/opening-hours.ts";
import { optionalList, optionalString } from "../../model/columns/optional-values.ts";
import { rowPrice } from "../../model/columns/row-price.ts";
import { listFields } from "../../model/expressions/standard-fields.ts";
import { answerFilterOf, checkFilter, decideFilter } from "../../model/retrieval/decide-filter.ts";
import { compileProductTest } from "../../model/retrieval/filter.ts";
import { firstStageCandidates } from "../../model/retrieval/first-stage-candidates.ts";
import { nearestRows } from "../../model/retrieval/nearest-rows.ts";
import { productColumns } from "../../model/retrieval/product-columns.ts";
import { maxTilesPerSearch } from "../../model/retrieval/search-limits.ts";
import {
  type EdgeLocation,
  edgeLocation,
  maxCoarsenedPoints,
  type NearbyAnswer,
  type NearbyQuery,
  nearbyQuery,
  type ResolvedLocation,
} from "../../shared/contracts/location.ts";
import {
  applicationName,
  type Point,
  type Precision,
  point,
  precision,
} from "../../shared/contracts/primitives.ts";
import { type ProductChange, productChange } from "../../shared/contracts/product.ts";
import {
  type CellContent,
  cellContent,
  type ProductRange,
  productRange,
} from "../../shared/contracts/rebuild.ts";
import { ok, parse, type Result } from "../../shared/contracts/result.ts";
import {
  type CandidateBlocks,
  type CandidateRequest,
  type FirstStageQuery,
  firstStageQuery,
  type ProductRef,
  productRef,
} from "../../shared/contracts/retrieval.ts";
import {
  type ProductTotals,
  productTotals,
  type Transition,
  transition,
  type UnknownProduct,
} from "../../shared/contracts/totals.ts";
import { minUsersShownOf } from "../../shared/counting/min-users-shown.ts";
import { errorText } from "../../shared/errors/error-text.ts";
import { isCellName } from "../../shared/geo/cells.ts";
import { coarsenToKilometer } from "../../shared/geo/coarsen.ts";
import type { LocationApi } from "../../shared/services/location-api.ts";
import type { Readiness } from "../../shared/services/worker-api.ts";
import { currencyAt } from "./filter-currency.ts";
import { Gazetteer } from "./gazetteer/gazetteer.ts";
import { applyChanges, applyTotals } from "./spatial-index/apply.ts";
import { rebuildCells } from "./spatial-index/rebuild-cells.ts";
import { TileCache } from "./spatial-index/tile-cache.ts";
import { CityStore } from "./store.ts";

const cellName = z.string().refine(isCellName, "must be the name of a cell or an address");
const addressedProduct = productRef.extend({ cell: cellName });
const firstStageCall = firstStageQuery.extend({ application: applicationName });
const coarsenPointsCall = z.object({ points: z.array(point).max(maxCoarsenedPoints), level: precision });
const coarsenCall = z.object({ where: point, level: precision });
const filterCurrencyCall = z.object({ application: applicationName, where: point.nullable() });
const filterCurrenciesCall = z.object({
  application: applicationName,
  points: z.array(point.nullable()).max(100),
});
/** Queries for candidates that one call answers, at most: their answers hold up to 300 kB each. */
const maxQueriesPerCall = 25;
/** Tiles that a call has read, at most, when it begins another query, which may read 400: a call may make 1,000 reads. */
const maxReadsBeforeQuery = 450;
const nearbyCall = nearbyQuery.extend({ application: applicationName });
const productColumnsCall = z.object({
  application: applicationName,
  wanted: z.array(addressedProduct).max(1000),
  withNextProducts: z.number().int().min(0),
});
const applyCall = z.object({ application: applicationName, changes: z.array(productChange).max(1000) });
const applyTotalsCall = z.object({
  application: applicationName,
  totals: z.array(productTotals.extend({ cell: cellName })),
  transitions: z.array(transition.extend({ fromCell: cellName })),
});

const rebuildCall = z.object({
  application: applicationName,
  range: productRange,
  products: z.array(cellContent).max(1000),
});

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** RPC entry point of the location worker: gazetteer, precision of coordinates, spatial index. */
export class LocationService extends WorkerEntrypoint<LocationEnv> implements LocationApi {
  get #gazetteer(): Gazetteer {
    return new Gazetteer(new CityStore(this.env.DB));
  }

  #tiles(application: string): TileCache {
    return new TileCache(this.env, application, (work) => this.ctx.waitUntil(work));
  }

  async resolveLocation(where: Point): Promise<Result<ResolvedLocation>> {
    const parsed = parse(point, where);
    return parsed.ok ? ok(await this.#gazetteer.resolve(parsed.value)) : parsed;
  }

  async coarsen(where: Point, level: Precision): Promise<Result<{ point: Point; place: ResolvedLocation }>> {
    const parsed = parse(coarsenCall, { where, level });
    if (!parsed.ok) return parsed;
    const place = await this.#gazetteer.resolve(where);
    if (level === "exact") return ok({ point: where, place });
    if (level === "approximate") return ok({ point: coarsenToKilometer(where), place });
    return ok({ point: await this.#gazetteer.coarsen(where), place });
  }

  async coarsenPoints(points: Point[], level: Precision): Promise<Result<Point[]>> {
    const parsed = parse(coarsenPointsCall, { points, level });
    if (!parsed.ok) return parsed;
    if (level === "exact") return ok(points);
    if (level === "approximate") return ok(points.map(coarsenToKilometer));
    const gazetteer = this.#gazetteer;
    const coarse: Point[] = [];
    // One after the other: points of a user are near each other, and the first one caches the cities around.
    for (const each of parsed.value.points) coarse.push(await gazetteer.coarsen(each));
    return ok(coarse);
  }

  async edgePoint(edge: EdgeLocation): Promise<Result<Point | null>> {
    const parsed = parse(edgeLocation, edge);
    return parsed.ok ? ok(await this.#gazetteer.resolveEdge(parsed.value)) : parsed;
  }

  async nearby(application: string, query: NearbyQuery): Promise<Result<NearbyAnswer>> {
    const parsed = parse(nearbyCall, { application, ...query });
    if (!parsed.ok) return parsed;
    const { point, limit, exclude, attributes = {} } = parsed.value;
    const checked = checkFilter(parsed.value.filter, listFields, "expression", attributes);
    if (!checked.ok) return checked;
    const tiles = this.#tiles(application);
    const now = Date.now() / 1000;
    const moment = { now, point, user: null, attributes };
    const filter = await decideFilter(parsed.value.filter, moment, () => currencyAt(tiles, point));
    const test = compileProductTest({ point, filter, now, exclude });
    const { rows, searched } = await nearestRows(tiles, {
      ...{ point, limit, test, radiusKm: test.radiusKm, maxTiles: maxTilesPerSearch },
    });
    return ok({
      searched,
      ...answerFilterOf(filter),
      items: rows.map(({ tile, row, distanceKm }) => ({
        productId: tile.id(row),
        distanceKm,
        title: tile.title(row),
        category: categoryOf(tile, row),
        categories: [categoryOf(tile, row), ...optionalList(tile, "moreCategories", row)],
        brand: optionalString(tile, "brand", row),
        ...rowPrice(tile, row, now),
        isOpen: compileIsOpen(tile, now)?.(row) ?? true,
        available: tile.available[row] === 1,
        groupId: groupIdOf(tile, row),
      })),
    });
  }

  async filterCurrency(application: string, where: Point | null): Promise<Result<string | null>> {
    const parsed = parse(filterCurrencyCall, { application, where });
    if (!parsed.ok) return parsed;
    return ok(await currencyAt(this.#tiles(application), parsed.value.where));
  }

  async filterCurrencies(application: string, points: (Point | null)[]): Promise<Result<(string | null)[]>> {
    const parsed = parse(filterCurrenciesCall, { application, points });
    if (!parsed.ok) return parsed;
    const tiles = this.#tiles(application);
    const currencies: (string | null)[] = [];
    for (const each of parsed.value.points) currencies.push(await currencyAt(tiles, each));
    return ok(currencies);
  }

  async gatherManyCandidates(
    application: string,
    queries: CandidateRequest[],
  ): Promise<Result<(CandidateBlocks<ArrayBuffer> | null)[]>> {
    const answers: (CandidateBlocks<ArrayBuffer> | null)[] = [];
    let reads = 0;
    // One after the other, so that what is left is known before each.
    for (const query of queries.slice(0, maxQueriesPerCall)) {
      if (answers.length > 0 && reads > maxReadsBeforeQuery) break;
      const tiles = this.#tiles(application);
      answers.push(await this.#gather(tiles, query));
      reads += tiles.reads;
    }
    return ok(queries.map((_, i) => answers[i] ?? null));
  }

  async gatherCandidates(
    application: string,
    query: CandidateRequest,
  ): Promise<Result<CandidateBlocks<ArrayBuffer>>> {
    return ok(await this.#gather(this.#tiles(application), query));
  }

  async #gather(tiles: TileCache, query: CandidateRequest): Promise<CandidateBlocks<ArrayBuffer>> {
    const [found, place] = await Promise.all([
      gatherCandidates(
        tileCandidateStore(tiles, () => Date.now() / 1000, minUsersShownOf(this.env)),
        query,
        sleep,
      ),
      this.#resolveWithin(query.near.point, query.profileTimeoutMs),
    ]);
    const packed = (block: Columns | null): ArrayBuffer | null => block?.buffer ?? null;
    return {
      near: packed(found.near),
      chosen: packed(found.chosen),
      next: packed(found.next),
      skipped: tiles.skipped === undefined ? found.skipped : [...found.skipped, tiles.skipped],
      place,
    };
  }

  /**
   * Returns the city, country and time zone of a point, or why they are missing. A failure or delay of the gazetteer
   * must not fail or delay recommendations.
   */
  async #resolveWithin(
    where: Point | null,
    profileTimeoutMs: number | null,
  ): Promise<CandidateBlocks<never>["place"]> {
    if (!where) return null;
    const resolving = this.#gazetteer.resolve(where).catch((error: unknown) => {
      console.error({ event: "city not resolved", error: errorText(error) });
      return { skipped: "the gazetteer: failed" };
    });
    if (profileTimeoutMs === null) return resolving;
    const late = sleep(profileTimeoutMs).then(() => ({ skipped: "budget: the name of the city" }));
    return Promise.race([resolving, late]);
  }

  async firstStageCandidates(application: string, query: FirstStageQuery): Promise<Result<ArrayBuffer>> {
    const parsed = parse(firstStageCall, { application, ...query });
    if (!parsed.ok) return parsed;
    const tiles = this.#tiles(application);
    return ok((await firstStageCandidates(tiles, parsed.value, minUsersShownOf(this.env))).buffer);
  }

  async productColumns(
    application: string,
    wanted: readonly ProductRef[],
    withNextProducts: number,
  ): Promise<Result<ArrayBuffer>> {
    const parsed = parse(productColumnsCall, { application, wanted: [...wanted], withNextProducts });
    if (!parsed.ok) return parsed;
    const { value } = parsed;
    const tiles = this.#tiles(application);
    const columns = await productColumns(tiles, value.wanted, Date.now() / 1000, value.withNextProducts);
    return ok(columns.buffer);
  }

  async applyProductChanges(
    application: string,
    changes: ProductChange[],
  ): Promise<Result<{ applied: number }>> {
    const parsed = parse(applyCall, { application, changes });
    return parsed.ok
      ? ok({ applied: await applyChanges(this.env.CELL, application, parsed.value.changes) })
      : parsed;
  }

  async applyTotals(
    application: string,
    totals: (ProductTotals & { cell: string })[],
    transitions: (Transition & { fromCell: string })[],
  ): Promise<Result<{ applied: number; unknown: UnknownProduct[] }>> {
    const parsed = parse(applyTotalsCall, { application, totals, transitions });
    if (!parsed.ok) return parsed;
    const { value } = parsed;
    return ok(await applyTotals(this.env.CELL, application, value.totals, value.transitions));
  }

  async rebuildCells(
    application: string,
    range: ProductRange,
    products: CellContent[],
  ): Promise<Result<{ cells: number }>> {
    const parsed = parse(rebuildCall, { application, range, products });
    if (!parsed.ok) return parsed;
    const { value } = parsed;
    return ok({ cells: await rebuildCells(this.env.CELL, application, value.range, value.products) });
  }

  async ready(): Promise<Readiness> {
    try {
      const ready = await new CityStore(this.env.DB).hasCities();
      return { ready, detail: ready ? "ready" : "the gazetteer is empty" };
    } catch {
      return { ready: false, detail: "the location database cannot be read: apply migrations/location" };
    }
  }
}
