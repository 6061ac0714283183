import { relaysPerRegion } from "../../../durable-objects/cell/cell-stub.ts";
import type { Columns } from "../../../model/columns/columns.ts";
import { rowIndexBytesPerRow } from "../../../model/columns/row-index.ts";
import { cachedBytesPerRow } from "../../../model/retrieval/score-rows.ts";
import { ShareCache } from "../../../shared/cache/share-cache.ts";
import { type LocationHint, locationHints } from "../../../shared/geo/location-hint.ts";

/**
 * Largest size of an isolate's tiles, in bytes: 80,000 products. Buffers that await collection come on top, up to 75 MB, and an
 * isolate of Cloudflare has 128 MB.
 */
const maxBytes = 16 * 1024 * 1024;
/** Size that the cache assumes for an empty result, in bytes. */
const emptyBytes = 64;
/** Tiles whose versions an isolate remembers after they made room for others, at most. */
const maxVersions = 20_000;

/** A tile as an isolate holds it. */
export interface CachedTile {
  /** The tile; null for an empty cell. */
  columns: Columns | null;
  bytes: number;
  /** When the isolate last learned that no newer version is current, in milliseconds since the epoch. */
  checkedAt: number;
  /** Whether the object of the cell could not be reached, so that a copy, or an older tile, stands in. */
  isUnreachable: boolean;
}

/** What an isolate remembers of the tiles of all applications. */
export class IsolateTiles {
  readonly #tiles = new ShareCache<CachedTile>({ maxSize: maxBytes, sizeOf: ({ bytes }) => bytes });
  /** The newest version that a request has seen of each tile. */
  readonly #versions = new ShareCache<number>({ maxSize: maxVersions });
  /** Reads in progress: concurrent requests for a tile share one read. */
  readonly reading = new Map<string, Promise<Columns | null>>();
  #relay: { region: LocationHint; number: number } | null = null;

  /** Bytes and number of the tiles. */
  get size(): { bytes: number; tiles: number } {
    return { bytes: this.#tiles.size, tiles: this.#tiles.count };
  }

  /** The relay that this isolate asks for the tile of the world, unless it knows the region of its users. */
  get relay(): { region: LocationHint; number: number } {
    // Random numbers are not available while an isolate starts.
    this.#relay ??= {
      region: locationHints[Math.floor(Math.random() * locationHints.length)],
      number: Math.floor(Math.random() * relaysPerRegion),
    };
    return this.#relay;
  }

  get(application: string, cell: string): CachedTile | undefined {
    return this.#tiles.get(application, cell);
  }

  /** Forgets a tile, as if it had made room for others. */
  forget(application: string, cell: string): void {
    this.#tiles.delete(application, cell);
  }

  /** Returns the newest version that a request has seen of a cell's tile; 0 for none. */
  newestVersion(application: string, cell: string): number {
    return this.#versions.get(application, cell) ?? 0;
  }

  /**
   * Remembers a tile that was read, unless the isolate has a newer version. Returns the newest one. If the tile has not
   * changed, the object in memory stays, together with everything that was computed from it.
   */
  keep(application: string, cell: string, read: Columns | null, isUnreachable: boolean): Columns | null {
    const cached = this.#tiles.get(application, cell)?.columns ?? null;
    const columns = cached && read && cached.meta.version >= read.meta.version ? cached : read;
    const bytes = columns
      ? columns.idHash.buffer.byteLength + (cachedBytesPerRow + rowIndexBytesPerRow) * columns.count
      : emptyBytes;
    this.#tiles.set(application, cell, { columns, bytes, checkedAt: Date.now(), isUnreachable });
    if (columns && columns.meta.version > this.newestVersion(application, cell))
      this.#versions.set(application, cell, columns.meta.version);
    return columns;
  }
}
