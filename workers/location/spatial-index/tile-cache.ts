import { cellStub, tileKey } from "../../../durable-objects/cell/cell-stub.ts";
import { type BlockMeta, type Columns, decodeColumns } from "../../../model/columns/columns.ts";
import type { ForwardingLookup } from "../../../model/retrieval/product-columns.ts";
import { cachedBytesPerRow } from "../../../model/retrieval/score-rows.ts";
import { rowIndexBytesPerRow } from "../../../model/columns/row-index.ts";
import { type TileSource } from "../../../model/retrieval/tile-source.ts";
import { errorText } from "../../../shared/errors/error-text.ts";

/**
 * A tile younger than `fresh` is answered as it is, an older one too, while a new one is fetched; past the age of `stale` the
 * answer waits for the new one. Milliseconds.
 */
interface Freshness {
  freshMs: number;
  staleMs: number;
}
const leafFreshness: Freshness = { freshMs: 2000, staleMs: 8000 };
/** A parent says what is news below it. */
const parentFreshness: Freshness = { freshMs: 2000, staleMs: 4000 };
/** That a cell holds nothing is believed so long: it may have been asked just before its first tile. */
const emptyFreshness: Freshness = { freshMs: 500, staleMs: 500 };
/** Bytes of tiles that an isolate keeps. */
const maxBytes = 48 * 1024 * 1024;
/** What an empty cell counts for in the cache. */
const emptyBytes = 64;

interface CachedTile {
  columns: Columns | null;
  bytes: number;
  at: number;
}

/** Tiles of one isolate: least recently used leave first; one load for a tile at a time. */
const cachedTiles = new Map<string, CachedTile>();
const loading = new Map<string, Promise<Columns | null>>();
let cachedBytes = 0;

/** Bytes and number of the tiles that this isolate holds. */
export const tileCacheSize = (): { bytes: number; tiles: number } => ({ bytes: cachedBytes, tiles: cachedTiles.size });

/**
 * Keeps what was read, and answers it. A tile that has not changed stays the one that is held, with all that was computed from
 * it and is remembered with it.
 */
function cacheTile(key: string, read: Columns | null): Columns | null {
  const known = cachedTiles.get(key)?.columns ?? null;
  const columns = known && read && isSameTile(known.meta, read.meta) ? known : read;
  const bytes = columns
    ? columns.idHash.buffer.byteLength + (cachedBytesPerRow + rowIndexBytesPerRow) * columns.count
    : emptyBytes;
  evict(key);
  cachedTiles.set(key, { columns, bytes, at: Date.now() });
  cachedBytes += bytes;
  for (const oldest of cachedTiles.keys()) {
    if (cachedBytes <= maxBytes) break;
    evict(oldest);
  }
  return columns;
}

/** Versions grow with each publication; a cell that is made anew begins again, at another time. */
const isSameTile = (a: BlockMeta, b: BlockMeta): boolean => a.version === b.version && a.time === b.time;

const isLeaf = ({ children }: BlockMeta): boolean => children.length === 0;

const freshnessOf = ({ columns }: CachedTile): Freshness => {
  if (columns === null) return emptyFreshness;
  return isLeaf(columns.meta) ? leafFreshness : parentFreshness;
};

function evict(key: string): void {
  const before = cachedTiles.get(key);
  if (!before) return;
  cachedBytes -= before.bytes;
  cachedTiles.delete(key);
}

/** Tiles of one application: isolate memory, else KV, else the cell itself. */
export class TileCache implements TileSource, ForwardingLookup {
  readonly #env: LocationEnv;
  readonly #application: string;
  readonly #waitUntil: (work: Promise<unknown>) => void;
  #skipped = new Set<string>();

  constructor(env: LocationEnv, application: string, later: (work: Promise<unknown>) => void) {
    this.#env = env;
    this.#application = application;
    this.#waitUntil = later;
  }

  /** What of the usual way of a tile was left out for this request; undefined where nothing was. */
  get skipped(): string | undefined {
    return this.#skipped.size > 0 ? [...this.#skipped].join(", ") : undefined;
  }

  /**
   * A leaf that is held in the version of which its parent knows is as new as its parent: nothing is read. So the tiles of
   * places where nothing changes stay in memory, however rarely somebody is there.
   */
  async tile(cell: string, version?: number): Promise<Columns | null> {
    const key = tileKey(this.#application, cell);
    const known = cachedTiles.get(key);
    if (!known) return this.#load(key, cell);
    const meta = known.columns?.meta;
    if (meta && version !== undefined && isLeaf(meta) && meta.version >= version) known.at = Date.now();
    const age = Date.now() - known.at;
    const { freshMs: fresh, staleMs: stale } = freshnessOf(known);
    if (age > stale || age < 0)
      return this.#load(key, cell).catch((error: unknown) => {
        if (!known.columns) throw error;
        console.error({ event: "tile not read", cell, error: errorText(error) });
        this.#skipped.add("old tiles for new ones");
        return known.columns;
      });
    // Where another request is at it, this one must not wait for it beyond its own end.
    if (age > fresh && !loading.has(key)) void this.#load(key, cell).catch(() => null);
    // Used just now: last to leave.
    cachedTiles.delete(key);
    cachedTiles.set(key, known);
    return known.columns;
  }

  #load(key: string, cell: string): Promise<Columns | null> {
    const under = loading.get(key);
    if (under) return under;
    const load = this.#read(key, cell)
      .then((columns) => cacheTile(key, columns))
      .finally(() => loading.delete(key));
    loading.set(key, load);
    // Other requests may wait for this load: it must end even if the request that began it is gone.
    this.#waitUntil(load.catch(() => null));
    return load;
  }

  /** A tile that is missing, harmed or out of reach in KV is asked of its cell. */
  async #read(key: string, cell: string): Promise<Columns | null> {
    const stored = await this.#env.TILES.get(key, "arrayBuffer").catch((error: unknown) => {
      console.error({ event: "tiles not reached", cell, error: errorText(error) });
      this.#skipped.add("cells for tiles");
      return null;
    });
    const columns = stored ? decodeColumns(stored) : null;
    if (columns) return columns;
    const built = await cellStub(this.#env.CELL, this.#application, cell).tile();
    return built ? decodeColumns(built) : null;
  }

  async forwardingCell(cell: string, productId: string): Promise<string | null> {
    return cellStub(this.#env.CELL, this.#application, cell).forwardingCell(productId);
  }
}
