/// <reference types="@cloudflare/vitest-plugin/types" />
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { Cell } from "../../../durable-objects/cell/cell.ts";
import type { CellPhase } from "../../../durable-objects/cell/cell-state.ts";
import { CellStore } from "../../../durable-objects/cell/cell-store.ts";

import { cellStub } from "../../../durable-objects/cell/cell-stub.ts";

import { type Columns, decodeColumns } from "../../../model/columns/columns.ts";
import { type ForwardingLookup, productColumns } from "../../../model/retrieval/product-columns.ts";
import type { TileSource } from "../../../model/retrieval/tile-source.ts";
import { addressOfProduct } from "../../../model/tiles/cell-product.ts";
import type { Point } from "../../../shared/contracts/primitives.ts";
import type { ProductChange } from "../../../shared/contracts/product.ts";
import { emptyTotals, type ProductTotals, type Transition } from "../../../shared/contracts/totals.ts";
import { parentCell, worldCell } from "../../../shared/geo/cells.ts";
import { applyChanges, applyTotals } from "../spatial-index/apply.ts";
import { IsolateTiles } from "../spatial-index/isolate-tiles.ts";
import { TileCache } from "../spatial-index/tile-cache.ts";

export const indexEnvironment: { CELL: DurableObjectNamespace<Cell>; TILES: KVNamespace } = Object.assign(
  { CELL: {} as never, TILES: {} as never },
  env,
);

/** The cells, without relays: the object of the world answers itself. */
const cellsWithoutRelays = {
  idFromName: (name: string) => indexEnvironment.CELL.idFromName(name),
  get: (id: DurableObjectId, options: DurableObjectNamespaceGetDurableObjectOptions) =>
    id.name?.includes(":relay-")
      ? {
          currentTileOfWorld: (application: string, known: number | null) =>
            cellStub(indexEnvironment.CELL, application, worldCell).currentTile(known),
        }
      : indexEnvironment.CELL.get(id, options),
};

/** Returns a source with an empty cache. */
export const uncachedTiles = (application: string): TileSource & ForwardingLookup =>
  new TileCache(
    { ...indexEnvironment, CELL: cellsWithoutRelays } as unknown as LocationEnv,
    application,
    (work) => void work,
    new IsolateTiles(),
  );

/** Returns the tiles of a cell and all cells below it. */
export async function tilesUnder(application: string, root: string): Promise<Columns[]> {
  const source = uncachedTiles(application);
  const tiles: Columns[] = [];
  const pending = [root];
  for (let cell = pending.pop(); cell !== undefined; cell = pending.pop()) {
    const tile = await source.tile(cell);
    if (!tile) continue;
    tiles.push(tile);
    pending.push(...tile.meta.children.map((child) => child.cell));
  }
  return tiles;
}

/** Returns the ids and versions of all products in the leaves under a cell, as `id version`, sorted. */
export async function productsUnder(application: string, root: string = worldCell): Promise<string[]> {
  const leaves = (await tilesUnder(application, root)).filter(({ meta }) => meta.children.length === 0);
  return leaves
    .flatMap((tile) => Array.from(tile.version, (version, row) => `${tile.id(row)} ${version}`))
    .sort();
}

/** Waits until parents build their tiles again for readers, which they do at most twice a second. */
export const waitUntilBuiltAgain = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 600));

/** A spatial index under test: applies changes to its cells and knows the products that they must hold. */
export class TestIndex {
  readonly application: string;
  readonly products = new Map<string, ProductChange>();

  constructor(application: string) {
    this.application = application;
  }

  /** The products that the index must hold, in the format of {@link productsUnder}. */
  get expected(): string[] {
    return [...this.products.values()].map(({ productId, version }) => `${productId} ${version}`).sort();
  }

  /** Creates or updates products; each version grows by one. */
  async put(
    places: readonly (Partial<ProductChange> & { id: string; location: Point | null })[],
  ): Promise<void> {
    const changes = places.map(({ id, location, ...more }): ProductChange => {
      const previous = this.products.get(id);
      const previousAddress = previous ? addressOfProduct(previous) : null;
      const change = {
        productId: id,
        version: (previous?.version ?? 0) + 1,
        deleted: false,
        title: id,
        category: "cafe",
        priceMinor: 400,
        currency: "NOK",
        discount: 0,
        rating: null,
        available: true,
        groupId: null,
        location,
        previousCell: null,
        createdAt: 1_700_000_000,
        ...more,
      };
      this.products.set(id, change);
      return {
        ...change,
        previousCell: previousAddress === addressOfProduct(change) ? null : previousAddress,
      };
    });
    for (let i = 0; i < changes.length; i += 500)
      await applyChanges(indexEnvironment.CELL, this.application, changes.slice(i, i + 500));
  }

  async remove(id: string): Promise<void> {
    const product = this.products.get(id);
    if (!product) return;
    this.products.delete(id);
    const deletion = { ...product, version: product.version + 1, deleted: true };
    await applyChanges(indexEnvironment.CELL, this.application, [deletion]);
  }

  /** Sets the products' views; with a transition key, also adds a transition from the first product to the second. */
  async addViews(ids: readonly string[], views: number, key?: number): Promise<void> {
    const totals = ids.map((id): ProductTotals & { cell: string } => {
      const counts = { ...emptyTotals(), view: views, people: 1 };
      const hours = [{ ...counts, hour: 472_222 }];
      return { productId: id, complete: true, hours, cell: this.#address(id) };
    });
    const [from, to] = ids;
    const transitions: (Transition & { fromCell: string })[] =
      key === undefined
        ? []
        : [
            {
              key,
              user: key,
              from,
              to,
              fromCell: this.#address(from),
              toCell: this.#address(to),
              gap: 1,
              time: 1,
            },
          ];
    await applyTotals(indexEnvironment.CELL, this.application, totals, transitions);
  }

  #address(id: string): string {
    const product = this.products.get(id);
    if (!product) throw new Error(`the index has no product ${id}: call \`put\` first`);
    return addressOfProduct(product);
  }

  columns(wanted: { productId: string; cell: string }[]): Promise<Columns> {
    return productColumns(uncachedTiles(this.application), wanted, Date.now() / 1000, wanted.length);
  }

  /**
   * Runs a cell's alarm; with `evictAfterMs`, evicts the object that many ms later. Returns whether an alarm was set.
   */
  async runAlarm(cell: string, evictAfterMs?: number): Promise<boolean> {
    const stub = () => cellStub(indexEnvironment.CELL, this.application, cell);
    const ran = runDurableObjectAlarm(stub()).catch(() => true);
    if (evictAfterMs !== undefined) {
      await new Promise((resolve) => setTimeout(resolve, evictAfterMs));
      await evictDurableObject(stub()).catch(() => undefined);
    }
    return ran;
  }

  /** Runs a cell's alarm if it is due within a minute. Returns whether it was. */
  async #runAlarmSoon(cell: string): Promise<boolean> {
    const at = await runInDurableObject(
      cellStub(indexEnvironment.CELL, this.application, cell),
      (_: Cell, { storage }) => storage.getAlarm(),
    );
    return at !== null && at < Date.now() + 60_000 && this.runAlarm(cell);
  }

  /**
   * Makes KV refuse a cell's tiles with more than `rows` rows, as KV refuses values above 25 MiB. The effect ends with
   * the object's eviction.
   */
  refuseLargeTiles(cell: string, rows: number): Promise<void> {
    return runInDurableObject(cellStub(indexEnvironment.CELL, this.application, cell), (instance: Cell) => {
      const put = async (key: string, tile: ArrayBuffer): Promise<void> => {
        if ((decodeColumns(tile)?.count ?? 0) > rows) throw new Error("413: value too large");
        await indexEnvironment.TILES.put(key, tile);
      };
      Object.assign(instance, { env: { ...indexEnvironment, TILES: { put } } });
    });
  }

  /** Returns the phase of a cell; undefined for a cell without data. */
  phaseOf(cell: string): Promise<CellPhase | undefined> {
    return runInDurableObject(
      cellStub(indexEnvironment.CELL, this.application, cell),
      (_: Cell, { storage }) => {
        const store = new CellStore(storage.sql);
        return store.hasTables() ? store.state()?.phase : undefined;
      },
    );
  }

  /** Runs the alarms of all cells under `root` until no alarm is set and no cell is splitting. */
  async runAlarmsUntilIdle(root: string): Promise<void> {
    for (let round = 0, idleRounds = 0; round < 200; round++) {
      const cells = new Set([root]);
      // A directory lists the leaves of a split cell, not the cells between.
      for (const { meta } of await tilesUnder(this.application, root))
        for (let cell: string | null = meta.cell; cell !== null && !cells.has(cell); cell = parentCell(cell))
          cells.add(cell);
      const ran = await Promise.all([...cells].map((cell) => this.#runAlarmSoon(cell)));
      const phases = await Promise.all([...cells].map((cell) => this.phaseOf(cell)));
      const isIdle = !ran.includes(true) && phases.every((phase) => phase === "leaf" || phase === "split");
      idleRounds = isIdle ? idleRounds + 1 : 0;
      if (idleRounds === 2) return;
      if (isIdle) await waitUntilBuiltAgain();
      else await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
