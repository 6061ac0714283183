/// <reference types="@cloudflare/vitest-plugin/types" />
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { CellPhase } from "../../../durable-objects/cell/cell-state.ts";
import { CellStore } from "../../../durable-objects/cell/cell-store.ts";
import { cellStub, tileKey } from "../../../durable-objects/cell/cell-stub.ts";
import type { Cell } from "../../../durable-objects/cell.ts";
import { type Columns, decodeColumns } from "../../../model/columns/columns.ts";
import { productColumns, type ForwardingLookup } from "../../../model/retrieval/product-columns.ts";
import { addressOfProduct } from "../../../model/retrieval/cell-product.ts";
import type { TileSource } from "../../../model/retrieval/tile-source.ts";
import type { Point } from "../../../shared/contracts/primitives.ts";
import type { ProductChange } from "../../../shared/contracts/product.ts";
import { emptyTotals, type ProductTotals, type Transition } from "../../../shared/contracts/totals.ts";
import { worldCell } from "../../../shared/geo/cells.ts";
import { applyChanges, applyTotals } from "../spatial-index/apply.ts";

export const indexEnvironment: { CELL: DurableObjectNamespace<Cell>; TILES: KVNamespace } = Object.assign(
  { CELL: {} as never, TILES: {} as never },
  env,
);

/** A tile as it lies in KV, else as its cell makes it: what a worker reads that remembers nothing. */
export const uncachedTiles = (application: string): TileSource & ForwardingLookup => ({
  async tile(cell) {
    const stored = await indexEnvironment.TILES.get(tileKey(application, cell), "arrayBuffer");
    const bytes = stored ?? (await cellStub(indexEnvironment.CELL, application, cell).tile());
    return bytes && decodeColumns(bytes);
  },
  forwardingCell: (cell, id) => Promise.resolve(cellStub(indexEnvironment.CELL, application, cell).forwardingCell(id)),
});

/** All tiles under a cell, found by descending. */
export async function tilesUnder(application: string, root: string): Promise<Columns[]> {
  const tiles: Columns[] = [];
  const open = [root];
  for (let cell = open.pop(); cell !== undefined; cell = open.pop()) {
    const tile = await uncachedTiles(application).tile(cell);
    if (!tile) continue;
    tiles.push(tile);
    open.push(...tile.meta.children.map((child) => child.cell));
  }
  return tiles;
}

/** Ids and versions of all products that a reader finds in leaves under a cell, sorted. */
export async function productsUnder(application: string, root: string = worldCell): Promise<string[]> {
  const leaves = (await tilesUnder(application, root)).filter(({ meta }) => meta.children.length === 0);
  return leaves
    .flatMap((tile) => Array.from(tile.version, (version, row) => `${tile.id(row)} ${version}`))
    .sort();
}

/** A catalogue that is told to cells, with what must be found of it. */
export class TestIndex {
  readonly application: string;
  readonly products = new Map<string, ProductChange>();

  constructor(application: string) {
    this.application = application;
  }

  get expected(): string[] {
    return [...this.products.values()].map(({ productId, version }) => `${productId} ${version}`).sort();
  }

  /** Writes products anew or again: their versions grow by one. */
  async put(places: readonly { id: string; location: Point | null }[]): Promise<void> {
    const changes = places.map(({ id, location }): ProductChange => {
      const known = this.products.get(id);
      const before = known ? addressOfProduct(known) : null;
      const change = {
        productId: id,
        version: (known?.version ?? 0) + 1,
        deleted: false,
        title: id,
        category: "cafe",
        price: 4,
        currency: "NOK",
        discount: 0,
        rating: null,
        available: true,
        location,
        previousCell: null,
        createdAt: 1_700_000_000,
      };
      this.products.set(id, change);
      return { ...change, previousCell: before === addressOfProduct(change) ? null : before };
    });
    for (let i = 0; i < changes.length; i += 500)
      await applyChanges(indexEnvironment.CELL, this.application, changes.slice(i, i + 500));
  }

  async remove(id: string): Promise<void> {
    const known = this.products.get(id);
    if (!known) return;
    this.products.delete(id);
    const gone = { ...known, version: known.version + 1, deleted: true };
    await applyChanges(indexEnvironment.CELL, this.application, [gone]);
  }

  /** Says how often products were viewed; with a key, that the first was chosen before the second. */
  async addViews(ids: readonly string[], views: number, key?: number): Promise<void> {
    const totals = ids.map((id): ProductTotals & { cell: string } => {
      const counts = { ...emptyTotals(), view: views, users: 1 };
      const hours = [{ ...counts, hour: 472_222 }];
      return { productId: id, complete: true, hours, cell: this.#address(id) };
    });
    const [from, to] = ids;
    const steps: (Transition & { fromCell: string })[] =
      key === undefined
        ? []
        : [{ key, from, to, fromCell: this.#address(from), toCell: this.#address(to), gap: 1, time: 1 }];
    await applyTotals(indexEnvironment.CELL, this.application, totals, steps);
  }

  #address(id: string): string {
    const product = this.products.get(id);
    if (!product) throw new Error(`${id} is not there`);
    return addressOfProduct(product);
  }

  columns(wanted: { productId: string; cell: string }[]): Promise<Columns> {
    return productColumns(uncachedTiles(this.application), wanted, Date.now() / 1000, wanted.length);
  }

  /** Lets a cell's alarm ring; with a number, ends its object about so many milliseconds later. Answers whether one was set. */
  async runAlarm(cell: string, killAfter?: number): Promise<boolean> {
    const stub = () => cellStub(indexEnvironment.CELL, this.application, cell);
    const rang = runDurableObjectAlarm(stub()).catch(() => true);
    if (killAfter !== undefined) {
      await new Promise((resolve) => setTimeout(resolve, killAfter));
      await evictDurableObject(stub()).catch(() => undefined);
    }
    return rang;
  }

  /** Makes KV refuse a cell's tile that has more rows than this, as it refuses one of more than 25 MiB; until its object ends. */
  refuseLargeTiles(cell: string, rows: number): Promise<void> {
    return runInDurableObject(cellStub(indexEnvironment.CELL, this.application, cell), (instance: Cell) => {
      const put = async (key: string, tile: ArrayBuffer): Promise<void> => {
        if ((decodeColumns(tile)?.count ?? 0) > rows) throw new Error("413: value too large");
        await indexEnvironment.TILES.put(key, tile);
      };
      Object.assign(instance, { env: { ...indexEnvironment, TILES: { put } } });
    });
  }

  /** The phase of a cell; undefined for one that knows nothing. */
  phaseOf(cell: string): Promise<CellPhase | undefined> {
    return runInDurableObject(cellStub(indexEnvironment.CELL, this.application, cell), (_: Cell, { storage }) => {
      const store = new CellStore(storage.sql);
      return store.hasTables() ? store.state()?.phase : undefined;
    });
  }

  /** Lets alarms ring under a cell until none is left, and none splits. */
  async runAlarmsUntilIdle(root: string): Promise<void> {
    for (let round = 0; round < 200; round++) {
      const cells = [
        ...new Set([root, ...(await tilesUnder(this.application, root)).map(({ meta }) => meta.cell)]),
      ];
      const rang = await Promise.all(cells.map((cell) => this.runAlarm(cell)));
      const phases = await Promise.all(cells.map((cell) => this.phaseOf(cell)));
      if (!rang.includes(true) && phases.every((phase) => phase === "leaf" || phase === "split")) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
