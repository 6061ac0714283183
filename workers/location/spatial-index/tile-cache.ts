import {
  cellStub,
  earlierTileKey,
  parentCopyKey,
  relayStub,
  tileKey,
} from "../../../durable-objects/cell/cell-stub.ts";
import { isReadableFromKv } from "../../../durable-objects/cell/tile-version.ts";
import type { CurrentTile } from "../../../durable-objects/cell/world-relay.ts";
import { type ChildBlock, type Columns, decodeColumns } from "../../../model/columns/columns.ts";
import type { ForwardingLookup } from "../../../model/retrieval/product-columns.ts";
import { usualReachKm } from "../../../model/retrieval/reach.ts";
import type { TileSource } from "../../../model/retrieval/tile-source.ts";
import { timedOut, withTimeout } from "../../../shared/async/with-timeout.ts";
import type { Point } from "../../../shared/contracts/primitives.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import {
  directoryCell,
  directoryCellsAround,
  isCellName,
  parentCell,
  worldCell,
} from "../../../shared/geo/cells.ts";
import { locationHint } from "../../../shared/geo/location-hint.ts";
import { type CachedTile, IsolateTiles } from "./isolate-tiles.ts";
import { listedBlocks, tileOfSplitCell } from "./listed-blocks.ts";

/**
 * Ages in ms since a tile was last known to be current. Up to `freshMs`, the cache returns it as it is. Up to `staleMs`,
 * it also checks the tile in the background. Above `staleMs`, it returns the tile after the check.
 */
interface Freshness {
  freshMs: number;
  staleMs: number;
}
/** A directory: a cell above the leaves, whose tile lists the current versions of all leaves below it. */
const directoryFreshness: Freshness = { freshMs: 3000, staleMs: 5000 };
/** A directory that cannot be reached: no request waits for it while there is a tile. */
const unreachableFreshness: Freshness = { freshMs: 5000, staleMs: Number.POSITIVE_INFINITY };
/** A leaf whose directory cannot be reached, which its own object is asked for. */
const uncheckedLeafFreshness: Freshness = { freshMs: 10_000, staleMs: 30_000 };
/** A cell without products may publish its first tile at any moment. */
const emptyFreshness: Freshness = { freshMs: 500, staleMs: 500 };
/** A leaf that its directory does not list. */
const unlistedFreshness: Freshness = { freshMs: 2000, staleMs: 8000 };
/** Time for which a leaf of an older version is returned while the listed one is read, since it was current, in ms. */
const olderLeafMs = 2000;
/** Time after which a cell's object counts as unreachable, in ms. */
const objectTimeoutMs = 2000;
/** Seconds for which a location of Cloudflare keeps a tile: a key is written once. */
const tileCacheSeconds = 86_400;
/** Seconds for which a location of Cloudflare keeps the copy of a parent's tile: the shortest time that KV allows. */
const copyCacheSeconds = 30;

/** A tile that was read; null for an empty cell. */
interface ReadTile {
  columns: Columns | null;
  /** Whether the cell's object could not be reached. */
  isUnreachable: boolean;
}

/** The tiles that all requests of this isolate share. */
const sharedTiles = new IsolateTiles();

/** Returns the bytes and the number of the tiles in this isolate's cache. */
export const tileCacheSize = (): { bytes: number; tiles: number } => sharedTiles.size;

const freshnessOf = ({ columns, isUnreachable }: CachedTile): Freshness => {
  if (isUnreachable) return unreachableFreshness;
  return columns === null ? emptyFreshness : directoryFreshness;
};

/** Whether a cell's object runs a release up to 0.2, which has only the method `tile`. */
const isOfEarlierRelease = (error: unknown): boolean => /does not implement/i.test(errorText(error));

/**
 * Reads the tiles of one application: from the isolate's cache, else the tile of a directory from its object, and that of
 * a leaf from KV, by the version that the directory lists. A request never sees an older version than one before in its
 * isolate.
 */
export class TileCache implements TileSource, ForwardingLookup {
  readonly #env: LocationEnv;
  readonly #application: string;
  readonly #waitUntil: (work: Promise<unknown>) => void;
  readonly #tiles: IsolateTiles;
  readonly #skipped = new Set<string>();
  #point: Point | null = null;
  #reads = 0;

  constructor(
    env: LocationEnv,
    application: string,
    waitUntil: (work: Promise<unknown>) => void,
    tiles: IsolateTiles = sharedTiles,
  ) {
    this.#env = env;
    this.#application = application;
    this.#waitUntil = waitUntil;
    this.#tiles = tiles;
  }

  /** Calls of KV and of objects that this cache has made. */
  get reads(): number {
    return this.#reads;
  }

  /** The fallbacks that this request used, in one line; undefined if none. */
  get skipped(): string | undefined {
    return this.#skipped.size > 0 ? [...this.#skipped].join(", ") : undefined;
  }

  prefetch(point: Point | null): void {
    this.#point ??= point;
    for (const cell of directoryCellsAround(point, usualReachKm)) {
      const parent = parentCell(cell);
      const above = parent === null ? null : this.#cached(parent)?.columns;
      // The tile above tells that there is nothing.
      if (above && !listedBlocks(above).has(cell)) continue;
      void this.#directory(cell).catch(() => null);
    }
  }

  /**
   * Returns the tile of a cell; null for an empty cell. `version` is the one that the tile of the leaf's directory lists,
   * and is looked up there if it is not given.
   */
  async tile(cell: string, version?: number): Promise<Columns | null> {
    // A query may name anything: only a cell has an object.
    if (!isCellName(cell)) return null;
    const directory = directoryCell(cell);
    if (directory === cell) return this.#directory(cell);
    if (version !== undefined) return this.#leaf(cell, version);
    const block = await this.#listed(directory, cell);
    if (!block) return this.#unlisted(cell);
    return block.leaves ? tileOfSplitCell(block) : this.#leaf(cell, block.version);
  }

  #cached(cell: string): CachedTile | undefined {
    return this.#tiles.get(this.#application, cell);
  }

  /** Returns what a directory lists of a leaf; null if it does not list it, or cannot be read. */
  async #listed(directory: string, cell: string): Promise<ChildBlock | null> {
    const tile = await this.#directory(directory).catch(() => null);
    return (tile && listedBlocks(tile).get(cell)) ?? null;
  }

  #directory(cell: string): Promise<Columns | null> {
    const read = () => this.#read(cell, cell, () => this.#readDirectory(cell));
    const cached = this.#cached(cell);
    if (!cached) return read();
    if (cached.isUnreachable) this.#skipped.add("copies for directories");
    return this.#refreshed(cell, cached, freshnessOf(cached), cell, read);
  }

  async #unlisted(cell: string): Promise<Columns | null> {
    const read = () => this.#read(cell, cell, () => this.#readFromCell(cell));
    const cached = this.#cached(cell);
    if (!cached) return read();
    const freshness = cached.columns ? unlistedFreshness : emptyFreshness;
    return this.#refreshed(cell, cached, freshness, cell, read);
  }

  async #leaf(cell: string, listed: number): Promise<Columns | null> {
    const cached = this.#cached(cell);
    const version = Math.max(listed, this.#tiles.newestVersion(this.#application, cell));
    const isListUnreachable = this.#cached(directoryCell(cell))?.isUnreachable ?? false;
    const key = `${cell}/${version}`;
    if (!cached?.columns || cached.columns.meta.version < version) {
      const read = () => this.#read(cell, key, () => this.#readLeaf(cell, version, isListUnreachable));
      if (!cached?.columns) return read();
      return this.#refreshed(cell, cached, { freshMs: 0, staleMs: olderLeafMs }, key, read);
    }
    if (isListUnreachable)
      return this.#refreshed(cell, cached, uncheckedLeafFreshness, cell, () =>
        this.#read(cell, cell, () => this.#readFromCell(cell)),
      );
    cached.checkedAt = Date.now();
    return cached.columns;
  }

  /** Returns a cached tile, which `read` checks before or meanwhile, depending on its age. */
  async #refreshed(
    cell: string,
    cached: CachedTile,
    { freshMs, staleMs }: Freshness,
    key: string,
    read: () => Promise<Columns | null>,
  ): Promise<Columns | null> {
    const ageMs = Date.now() - cached.checkedAt;
    if (ageMs > staleMs || ageMs < 0)
      return read().catch((error: unknown) => {
        if (!cached.columns) throw error;
        console.error({ event: "tile reload failed", cell, error: errorText(error) });
        this.#skipped.add("old tiles for new ones");
        // The next requests do not wait for what has just failed.
        cached.checkedAt = Date.now() - freshMs;
        return cached.columns;
      });
    // Do not join a read that another request has started: this request must not stay open for it.
    if (ageMs > freshMs && !this.#tiles.reading.has(this.#readingKey(key))) void read().catch(() => null);
    return cached.columns;
  }

  #readingKey(key: string): string {
    return `${this.#application}/${key}`;
  }

  /** Reads a tile and remembers it, once for all requests that want it meanwhile. */
  #read(cell: string, key: string, readTile: () => Promise<ReadTile>): Promise<Columns | null> {
    const { reading } = this.#tiles;
    const fullKey = this.#readingKey(key);
    const current = reading.get(fullKey);
    if (current) return current;
    const read = readTile()
      .then(({ columns, isUnreachable }) => this.#tiles.keep(this.#application, cell, columns, isUnreachable))
      .finally(() => reading.delete(fullKey));
    reading.set(fullKey, read);
    // Other requests may await this read, so it must finish even if the request that started it has ended.
    this.#waitUntil(read.catch(() => null));
    return read;
  }

  /** Reads the tile of a directory from its object; if the object cannot be reached, from its copy in KV. */
  async #readDirectory(cell: string): Promise<ReadTile> {
    const cached = this.#cached(cell)?.columns ?? null;
    try {
      const answer = await this.#askInTime(this.#askDirectory(cell, cached?.meta.version ?? null));
      return { columns: columnsOf(answer, cached), isUnreachable: false };
    } catch (error) {
      console.error({ event: "directory unreachable", cell, error: errorText(error) });
      this.#skipped.add("copies for directories");
      const columns = (await this.#readCopy(cell)) ?? cached;
      if (!columns) throw error;
      return { columns, isUnreachable: true };
    }
  }

  async #askDirectory(cell: string, known: number | null): Promise<CurrentTile | null> {
    const { CELL } = this.#env;
    if (cell === worldCell) {
      const { region, number } = this.#tiles.relay;
      const relay = relayStub(
        CELL,
        this.#application,
        this.#point ? locationHint(this.#point) : region,
        number,
      );
      this.#reads++;
      try {
        return await relay.currentTileOfWorld(this.#application, known);
      } catch (error) {
        console.error({ event: "relay unreachable", error: errorText(error) });
      }
    }
    return this.#askCell(cell, known);
  }

  /** Asks a cell's object for its tile. */
  async #askCell(cell: string, known: number | null): Promise<CurrentTile | null> {
    const stub = cellStub(this.#env.CELL, this.#application, cell);
    this.#reads++;
    try {
      return await stub.currentTile(known);
    } catch (error) {
      if (!isOfEarlierRelease(error)) throw error;
      const tile = await stub.tile();
      return tile && { version: decodeColumns(tile)?.meta.version ?? 0, tile };
    }
  }

  /** Reads the copy of a directory's tile, else the tile that a release up to 0.2 stored. */
  async #readCopy(cell: string): Promise<Columns | null> {
    for (const key of [parentCopyKey(this.#application, cell), earlierTileKey(this.#application, cell)]) {
      const copy = await this.#readKv(cell, key, copyCacheSeconds);
      if (copy) return copy;
    }
    return null;
  }

  /**
   * Reads a version of a leaf's tile from KV; from its object if KV fails, or the tile is missing or damaged there. Where
   * the version may be outdated, it asks the object first.
   */
  async #readLeaf(cell: string, version: number, isOutdated: boolean): Promise<ReadTile> {
    const isStored = isReadableFromKv(version, Date.now());
    if (isOutdated || !isStored)
      try {
        return await this.#readFromCell(cell);
      } catch (error) {
        if (!isStored) throw error;
      }
    const key = tileKey(this.#application, cell, version);
    const columns = await this.#readKv(cell, key, tileCacheSeconds);
    if (columns) return { columns, isUnreachable: false };
    return this.#readFromCell(cell);
  }

  /** Reads the current tile of a leaf from its object. */
  async #readFromCell(cell: string): Promise<ReadTile> {
    const cached = this.#cached(cell)?.columns ?? null;
    const answer = await this.#askInTime(this.#askCell(cell, cached?.meta.version ?? null));
    return { columns: columnsOf(answer, cached), isUnreachable: false };
  }

  /** Returns an object's answer. Rejects if it takes too long. */
  async #askInTime(asking: Promise<CurrentTile | null>): Promise<CurrentTile | null> {
    const answer = await withTimeout(asking, objectTimeoutMs);
    if (answer === timedOut) throw new Error(`no answer of the object within ${objectTimeoutMs} ms`);
    return answer;
  }

  /** Reads a tile from KV; null if it is missing or damaged, or KV fails. */
  async #readKv(cell: string, key: string, cacheTtl: number): Promise<Columns | null> {
    this.#reads++;
    try {
      const stored = await this.#env.TILES.get(key, { type: "arrayBuffer", cacheTtl });
      return stored && decodeColumns(stored);
    } catch (error) {
      console.error({ event: "tile read from KV failed", cell, error: errorText(error) });
      this.#skipped.add("cells for tiles");
      return null;
    }
  }

  async forwardingCell(cell: string, productId: string): Promise<string | null> {
    if (!isCellName(cell)) return null;
    this.#reads++;
    return cellStub(this.#env.CELL, this.#application, cell).forwardingCell(productId);
  }
}

/** Returns the tile of an answer; the known one if the answer says that it is current. */
function columnsOf(answer: CurrentTile | null, known: Columns | null): Columns | null {
  if (!answer) return null;
  return answer.tile ? decodeColumns(answer.tile) : known;
}
