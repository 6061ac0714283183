import { cellStub, tileKey } from "../../../durable-objects/cell/cell-stub.ts";
import { type BlockMeta, type Columns, decodeColumns } from "../../../model/columns/columns.ts";
import { rowIndexBytesPerRow } from "../../../model/columns/row-index.ts";
import type { ForwardingLookup } from "../../../model/retrieval/product-columns.ts";
import { cachedBytesPerRow } from "../../../model/retrieval/score-rows.ts";
import type { TileSource } from "../../../model/retrieval/tile-source.ts";
import { ShareCache } from "../../../shared/cache/share-cache.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { isCellName } from "../../../shared/geo/cells.ts";

/**
 * Ages in ms. Up to `freshMs`, the cache returns a tile as it is. Up to `staleMs`, it also reloads the tile in the
 * background. Above `staleMs`, it returns the tile after the reload.
 */
interface Freshness {
  freshMs: number;
  staleMs: number;
}
const leafFreshness: Freshness = { freshMs: 2000, staleMs: 8000 };
/** A parent's tile expires sooner, since it lists the versions of its children's tiles. */
const parentFreshness: Freshness = { freshMs: 2000, staleMs: 4000 };
/** An empty result expires soonest: the cell may publish its first tile at any moment. */
const emptyFreshness: Freshness = { freshMs: 500, staleMs: 500 };
/** Largest size of an isolate's cache. */
const maxBytes = 48 * 1024 * 1024;
/** Size that the cache assumes for an empty result. */
const emptyBytes = 64;

interface CachedTile {
  /** The tile; null for an empty cell. */
  columns: Columns | null;
  bytes: number;
  /** Load time in ms since the Unix epoch. */
  loadedAt: number;
}

/** The isolate's cache, by application and cell. */
const cachedTiles = new ShareCache<CachedTile>({ maxSize: maxBytes, sizeOf: ({ bytes }) => bytes });
/** Loads in progress by key: concurrent requests for a tile share one load. */
const loading = new Map<string, Promise<Columns | null>>();

/** Returns the bytes and the number of the tiles in this isolate's cache. */
export const tileCacheSize = (): { bytes: number; tiles: number } => ({
  bytes: cachedTiles.size,
  tiles: cachedTiles.count,
});

/**
 * Caches a loaded tile and returns it. If the tile has not changed, the cached object stays, together with everything
 * that was computed from it.
 */
function cacheTile(application: string, cell: string, loaded: Columns | null): Columns | null {
  const cached = cachedTiles.get(application, cell)?.columns ?? null;
  const columns = cached && loaded && isSameTile(cached.meta, loaded.meta) ? cached : loaded;
  const bytes = columns
    ? columns.idHash.buffer.byteLength + (cachedBytesPerRow + rowIndexBytesPerRow) * columns.count
    : emptyBytes;
  cachedTiles.set(application, cell, { columns, bytes, loadedAt: Date.now() });
  return columns;
}

/** Versions grow with each publication. A cell that was deleted and created again restarts them, at another time. */
const isSameTile = (a: BlockMeta, b: BlockMeta): boolean => a.version === b.version && a.time === b.time;

const isLeaf = ({ children }: BlockMeta): boolean => children.length === 0;

const freshnessOf = ({ columns }: CachedTile): Freshness => {
  if (columns === null) return emptyFreshness;
  return isLeaf(columns.meta) ? leafFreshness : parentFreshness;
};

/** Reads the tiles of one application from the isolate's cache, else from KV, else from the cell. */
export class TileCache implements TileSource, ForwardingLookup {
  readonly #env: LocationEnv;
  readonly #application: string;
  readonly #waitUntil: (work: Promise<unknown>) => void;
  #skipped = new Set<string>();

  constructor(env: LocationEnv, application: string, waitUntil: (work: Promise<unknown>) => void) {
    this.#env = env;
    this.#application = application;
    this.#waitUntil = waitUntil;
  }

  /** The fallbacks that this request used, in one line; undefined if none. */
  get skipped(): string | undefined {
    return this.#skipped.size > 0 ? [...this.#skipped].join(", ") : undefined;
  }

  /**
   * Returns the tile of a cell; null for an empty cell. `version` is the one that the parent's tile lists. A cached
   * leaf of at least this version is current, so unchanged leaves stay cached without any read.
   */
  async tile(cell: string, version?: number): Promise<Columns | null> {
    const key = tileKey(this.#application, cell);
    const cached = cachedTiles.get(this.#application, cell);
    if (!cached) return this.#load(key, cell);
    const meta = cached.columns?.meta;
    if (meta && version !== undefined && isLeaf(meta) && meta.version >= version)
      cached.loadedAt = Date.now();
    const ageMs = Date.now() - cached.loadedAt;
    const { freshMs, staleMs } = freshnessOf(cached);
    if (ageMs > staleMs || ageMs < 0)
      return this.#load(key, cell).catch((error: unknown) => {
        if (!cached.columns) throw error;
        console.error({ event: "tile reload failed", cell, error: errorText(error) });
        this.#skipped.add("old tiles for new ones");
        return cached.columns;
      });
    // Do not join a reload that another request has started: this request must not stay open for it.
    if (ageMs > freshMs && !loading.has(key)) void this.#load(key, cell).catch(() => null);
    return cached.columns;
  }

  #load(key: string, cell: string): Promise<Columns | null> {
    const current = loading.get(key);
    if (current) return current;
    const load = this.#read(key, cell)
      .then((columns) => cacheTile(this.#application, cell, columns))
      .finally(() => loading.delete(key));
    loading.set(key, load);
    // Other requests may await this load, so it must finish even if the request that started it has ended.
    this.#waitUntil(load.catch(() => null));
    return load;
  }

  /** Reads a tile from KV; from its cell if KV fails, or the tile is missing or damaged there. */
  async #read(key: string, cell: string): Promise<Columns | null> {
    const stored = await this.#env.TILES.get(key, "arrayBuffer").catch((error: unknown) => {
      console.error({ event: "tile read from KV failed", cell, error: errorText(error) });
      this.#skipped.add("cells for tiles");
      return null;
    });
    const columns = stored ? decodeColumns(stored) : null;
    if (columns) return columns;
    // A query may name anything: only a cell has an object.
    if (!isCellName(cell)) return null;
    const built = await cellStub(this.#env.CELL, this.#application, cell).tile();
    return built ? decodeColumns(built) : null;
  }

  async forwardingCell(cell: string, productId: string): Promise<string | null> {
    return isCellName(cell)
      ? cellStub(this.#env.CELL, this.#application, cell).forwardingCell(productId)
      : null;
  }
}
