import { cellStub, tileKey } from "../../../durable-objects/cell.ts";
import { type BlockMeta, type Columns, decodeColumns } from "../../../model/columns/columns.ts";
import type { Forwards } from "../../../model/retrieval/candidates.ts";
import { rememberedBytesPerRow } from "../../../model/retrieval/scan.ts";
import { indexBytesPerRow, type TileSource } from "../../../model/retrieval/tiles.ts";
import { errorText } from "../../../shared/errors/error-text.ts";

/**
 * A tile younger than `fresh` is answered as it is, an older one too, while a new one is fetched; past the age of `stale` the
 * answer waits for the new one. Milliseconds.
 */
interface Freshness {
  fresh: number;
  stale: number;
}
const leafFreshness: Freshness = { fresh: 2000, stale: 8000 };
/** A parent says what is news below it. */
const parentFreshness: Freshness = { fresh: 2000, stale: 4000 };
/** That a cell holds nothing is believed so long: it may have been asked just before its first tile. */
const emptyFreshness: Freshness = { fresh: 500, stale: 500 };
/** Bytes of tiles that an isolate keeps. */
const maxBytes = 48 * 1024 * 1024;
/** What an empty cell counts for in the cache. */
const emptyBytes = 64;

interface Held {
  columns: Columns | null;
  bytes: number;
  at: number;
}

/** Tiles of one isolate: least recently used leave first; one load for a tile at a time. */
const held = new Map<string, Held>();
const loading = new Map<string, Promise<Columns | null>>();
let heldBytes = 0;

/** Bytes and number of the tiles that this isolate holds. */
export const tileCacheSize = (): { bytes: number; tiles: number } => ({ bytes: heldBytes, tiles: held.size });

/**
 * Keeps what was read, and answers it. A tile that has not changed stays the one that is held, with all that was computed from
 * it and is remembered with it.
 */
function hold(key: string, read: Columns | null): Columns | null {
  const known = held.get(key)?.columns ?? null;
  const columns = known && read && isSame(known.meta, read.meta) ? known : read;
  const bytes = columns
    ? columns.idHash.buffer.byteLength + (rememberedBytesPerRow + indexBytesPerRow) * columns.count
    : emptyBytes;
  drop(key);
  held.set(key, { columns, bytes, at: Date.now() });
  heldBytes += bytes;
  for (const oldest of held.keys()) {
    if (heldBytes <= maxBytes) break;
    drop(oldest);
  }
  return columns;
}

/** Versions grow with each publication; a cell that is made anew begins again, at another time. */
const isSame = (a: BlockMeta, b: BlockMeta): boolean => a.version === b.version && a.time === b.time;

const isLeaf = ({ children }: BlockMeta): boolean => children.length === 0;

const freshnessOf = ({ columns }: Held): Freshness => {
  if (columns === null) return emptyFreshness;
  return isLeaf(columns.meta) ? leafFreshness : parentFreshness;
};

function drop(key: string): void {
  const before = held.get(key);
  if (!before) return;
  heldBytes -= before.bytes;
  held.delete(key);
}

/** Tiles of one application: isolate memory, else KV, else the cell itself. */
export class TileCache implements TileSource, Forwards {
  readonly #env: LocationEnv;
  readonly #application: string;
  readonly #later: (work: Promise<unknown>) => void;
  #skipped = new Set<string>();

  constructor(env: LocationEnv, application: string, later: (work: Promise<unknown>) => void) {
    this.#env = env;
    this.#application = application;
    this.#later = later;
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
    const known = held.get(key);
    if (!known) return this.#load(key, cell);
    const meta = known.columns?.meta;
    if (meta && version !== undefined && isLeaf(meta) && meta.version >= version) known.at = Date.now();
    const age = Date.now() - known.at;
    const { fresh, stale } = freshnessOf(known);
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
    held.delete(key);
    held.set(key, known);
    return known.columns;
  }

  #load(key: string, cell: string): Promise<Columns | null> {
    const under = loading.get(key);
    if (under) return under;
    const load = this.#read(key, cell)
      .then((columns) => hold(key, columns))
      .finally(() => loading.delete(key));
    loading.set(key, load);
    // Other requests may wait for this load: it must end even if the request that began it is gone.
    this.#later(load.catch(() => null));
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

  async forward(cell: string, productId: string): Promise<string | null> {
    return cellStub(this.#env.CELL, this.#application, cell).forward(productId);
  }
}
