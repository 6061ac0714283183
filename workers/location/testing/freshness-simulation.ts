/// <reference types="@cloudflare/vitest-plugin/types" />
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { vi } from "vitest";
import type { Cell } from "../../../durable-objects/cell/cell.ts";
import { cellStub } from "../../../durable-objects/cell/cell-stub.ts";
import { hash53 } from "../../../model/columns/hash.ts";
import { readNearbyTiles } from "../../../model/retrieval/nearby-tiles.ts";
import type { Point } from "../../../shared/contracts/primitives.ts";
import type { ProductChange } from "../../../shared/contracts/product.ts";
import { directoryCell, leafCellAt, parentCell } from "../../../shared/geo/cells.ts";
import { StaleKv } from "../../../shared/testing/platform/stale-kv.ts";
import { applyChanges } from "../spatial-index/apply.ts";
import { IsolateTiles } from "../spatial-index/isolate-tiles.ts";
import { TileCache } from "../spatial-index/tile-cache.ts";
import { indexEnvironment } from "./test-index.ts";

/** Step of the simulated clock in milliseconds: when a change is made, an alarm runs, or a request arrives. */
const stepMs = 500;
/** Locations of Cloudflare, each with two isolates: a busy one, and one with few requests. */
const locations = ["Oslo", "Bergen", "London", "New York", "Sydney"];
/** Mean interval between the requests of an isolate, in milliseconds. */
const requestIntervalsMs = [1000, 15_000];
/** Mean interval between changes of products, in milliseconds. */
const changeIntervalMs = 2000;
/** Time after the last change in which readers still ask, in milliseconds. */
const afterMs = 95_000;

const oslo: Point = { lat: 59.913, lon: 10.752 };
const bergen: Point = { lat: 60.393, lon: 5.324 };
const manyRows = 100_000;

/** How a run of the simulation goes. Times are in milliseconds from its beginning. */
export interface SimulationPlan {
  application: string;
  /** Time in which products change. */
  changesMs: number;
  /** When readers and cells cannot reach the directories; null for never. */
  outage: { fromMs: number; toMs: number } | null;
  random: () => number;
}

/** What the readers of a run saw, and what it cost. */
export interface SimulationResult {
  changes: number;
  answers: number;
  /** For each change and location, the time in ms until every answer there showed it. */
  delaysMs: number[];
  /** Answers that showed an older version of a product than an earlier answer of the same isolate. */
  wentBack: number;
  /** Answers that lacked a product. */
  incomplete: number;
  kv: StaleKv["billed"];
  /** Requests of readers to objects. */
  objectRequests: number;
  simulatedMs: number;
}

/** Products of two cities, and some without a location. */
function placesOf(): Map<string, Point | null> {
  const places = new Map<string, Point | null>();
  for (const [name, center] of Object.entries({ oslo, bergen }))
    for (let i = 0; i < 12; i++)
      places.set(`${name}-${i}`, {
        lat: center.lat + (i % 4) * 0.04,
        lon: center.lon + Math.floor(i / 4) * 0.09,
      });
  for (let i = 0; i < 4; i++) places.set(`online-${i}`, null);
  return places;
}

/** Reads and answers of one isolate. */
class Reader {
  readonly #tiles = new IsolateTiles();
  readonly #env: LocationEnv;
  readonly #application: string;
  readonly #point: Point;
  readonly location: string;
  readonly intervalMs: number;
  /** The newest version shown of each product. */
  readonly shown = new Map<string, number>();

  constructor(
    env: object,
    application: string,
    { location, point, intervalMs }: { location: string; point: Point; intervalMs: number },
  ) {
    this.#env = env as LocationEnv;
    this.#application = application;
    this.#point = point;
    this.location = location;
    this.intervalMs = intervalMs;
  }

  /** Returns the versions of the products around the reader's users, as a request finds them. */
  async answer(): Promise<Map<string, number>> {
    const background: Promise<unknown>[] = [];
    const cache = new TileCache(this.#env, this.#application, (work) => background.push(work), this.#tiles);
    const { leaves } = await readNearbyTiles(cache, this.#point, {
      manyRows,
      manyTiles: 40,
      enoughRows: manyRows,
      test: () => true,
      mayContain: () => true,
      radiusKm: Number.POSITIVE_INFINITY,
      maxTiles: 400,
    });
    await Promise.all(background);
    return new Map(
      leaves.flatMap((tile) => Array.from(tile.version, (version, row) => [tile.id(row), version] as const)),
    );
  }
}

/**
 * Runs cells and readers by their real code, with a simulated clock and a KV that is late. Calls take no time. Fake timers of
 * `Date` must be on.
 */
export class FreshnessSimulation {
  readonly #plan: SimulationPlan;
  readonly #kv: StaleKv;
  readonly #places = placesOf();
  readonly #versions = new Map<string, number>();
  readonly #alarms = new Map<string, number | null>();
  readonly #readers: Reader[];
  /** When each version of each product was accepted, by `product version`. */
  readonly #changedAt = new Map<string, number>();
  /** When an answer of a location last showed an older version than this one, by `location product version`. */
  readonly #lastOlder = new Map<string, number>();
  #objectRequests = 0;
  #startedAt = Date.now();
  #result = { answers: 0, wentBack: 0, incomplete: 0 };

  constructor(plan: SimulationPlan) {
    this.#plan = plan;
    this.#kv = new StaleKv(() => Date.now(), plan.random);
    this.#readers = locations.flatMap((location, i) =>
      requestIntervalsMs.map(
        (intervalMs) =>
          new Reader({ TILES: this.#kv.location(location), CELL: this.#cells(true) }, plan.application, {
            location,
            point: i % 2 === 0 ? oslo : bergen,
            intervalMs,
          }),
      ),
    );
  }

  get #elapsedMs(): number {
    return Date.now() - this.#startedAt;
  }

  /** Returns the cells as a reader, or another cell, reaches them: no directory during the outage. */
  #cells(isReader: boolean) {
    const { CELL } = indexEnvironment;
    const names = new Map<string, string>();
    return {
      idFromName: (name: string) => {
        const id = CELL.idFromName(name);
        names.set(id.toString(), name);
        return id;
      },
      get: (id: DurableObjectId, options: DurableObjectNamespaceGetDurableObjectOptions) => {
        const name = names.get(id.toString())?.split(":")[1] ?? "";
        const isDirectory = name.startsWith("relay-") || directoryCell(name) === name;
        const stub = CELL.get(id, options) as unknown as Record<string, (...args: unknown[]) => unknown>;
        return new Proxy(stub, {
          get:
            (_, method: string) =>
            (...args: unknown[]) => {
              if (isReader) this.#objectRequests++;
              const { outage } = this.#plan;
              const isDown = outage && this.#elapsedMs >= outage.fromMs && this.#elapsedMs < outage.toMs;
              if (isDirectory && isDown) return Promise.reject(new Error("the object cannot be reached"));
              return stub[method](...args);
            },
        });
      },
    };
  }

  #stub(cell: string) {
    return cellStub(indexEnvironment.CELL, this.#plan.application, cell);
  }

  /** Gives a cell and all above it the late KV and the outage. */
  async #prepare(leaf: string): Promise<void> {
    for (let cell: string | null = leaf; cell !== null && !this.#alarms.has(cell); cell = parentCell(cell)) {
      this.#alarms.set(cell, null);
      await runInDurableObject(this.#stub(cell), (instance: Cell) => {
        const env = Reflect.get(instance, "env") as object;
        Object.assign(instance, {
          env: { ...env, TILES: this.#kv.location(`the home of ${cell}`), CELL: this.#cells(false) },
        });
      });
    }
  }

  /** Accepts a change of a product: a new price, or another availability. */
  async #change(productId: string): Promise<void> {
    const location = this.#places.get(productId) ?? null;
    const version = (this.#versions.get(productId) ?? 0) + 1;
    const change: ProductChange = {
      ...{
        productId,
        version,
        deleted: false,
        title: productId,
        category: "cafe",
        priceMinor: 100 * version,
      },
      ...{
        currency: "NOK",
        discount: 0,
        rating: null,
        available: version % 3 !== 0,
        groupId: null,
        location,
      },
      ...{ previousCell: null, createdAt: 1_700_000_000 },
    };
    await applyChanges(indexEnvironment.CELL, this.#plan.application, [change]);
    this.#versions.set(productId, version);
    this.#changedAt.set(`${productId} ${version}`, Date.now());
    await this.#noteAlarm(this.#leafOf(productId));
  }

  #leafOf(productId: string): string {
    return leafCellAt(this.#places.get(productId) ?? null, hash53(productId));
  }

  async #noteAlarm(cell: string): Promise<void> {
    const at = await runInDurableObject(this.#stub(cell), (_: Cell, { storage }) => storage.getAlarm());
    this.#alarms.set(cell, at);
  }

  /** Runs the alarms that are due, of the leaves first. */
  async #runAlarms(): Promise<void> {
    for (const [cell, at] of this.#alarms) {
      if (at === null || at > Date.now()) continue;
      await runDurableObjectAlarm(this.#stub(cell));
      await this.#noteAlarm(cell);
      const parent = parentCell(cell);
      if (parent !== null) await this.#noteAlarm(parent);
    }
  }

  async #ask(reader: Reader): Promise<void> {
    const answer = await reader.answer();
    this.#result.answers++;
    let hasOlder = false;
    for (const productId of this.#places.keys()) {
      const version = answer.get(productId) ?? 0;
      const before = reader.shown.get(productId) ?? 0;
      if (version < before) hasOlder = true;
      reader.shown.set(productId, Math.max(version, before));
      for (let missed = version + 1; missed <= (this.#versions.get(productId) ?? 0); missed++)
        this.#lastOlder.set(`${reader.location} ${productId} ${missed}`, Date.now());
    }
    if (hasOlder) this.#result.wentBack++;
    if (answer.size < this.#places.size) this.#result.incomplete++;
  }

  /** Runs the simulation. */
  async run(): Promise<SimulationResult> {
    const { changesMs, random } = this.#plan;
    for (const productId of this.#places.keys()) await this.#prepare(this.#leafOf(productId));
    for (const productId of this.#places.keys()) await this.#change(productId);
    for (let step = 0; step < 300; step++) {
      vi.setSystemTime(Date.now() + stepMs);
      await this.#runAlarms();
    }
    // What was there before the run is no change of it.
    this.#changedAt.clear();
    this.#startedAt = Date.now();
    const products = [...this.#places.keys()];
    const happens = (intervalMs: number): boolean => random() < stepMs / intervalMs;
    while (this.#elapsedMs < changesMs + afterMs) {
      vi.setSystemTime(Date.now() + stepMs);
      if (this.#elapsedMs < changesMs && happens(changeIntervalMs))
        await this.#change(products[Math.floor(random() * products.length)]);
      await this.#runAlarms();
      for (const reader of this.#readers) if (happens(reader.intervalMs)) await this.#ask(reader);
    }
    const delaysMs = [...this.#changedAt].flatMap(([change, at]) =>
      locations.map((location) => (this.#lastOlder.get(`${location} ${change}`) ?? at) - at),
    );
    return {
      ...this.#result,
      changes: this.#changedAt.size,
      delaysMs,
      kv: { ...this.#kv.billed },
      objectRequests: this.#objectRequests,
      simulatedMs: this.#elapsedMs,
    };
  }
}
