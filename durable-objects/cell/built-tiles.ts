import { ShareCache } from "../../shared/cache/share-cache.ts";

/** A tile in memory. */
export interface BuiltTile {
  version: number;
  tile: ArrayBuffer;
  /** The content that the tile shows: the revision of the cell's tables. */
  revision: number;
  /** When the tile was built, in milliseconds since the epoch. */
  builtAt: number;
}

/** Largest size of the built tiles of all cells in an isolate, in bytes. */
const maxBytes = 16 * 1024 * 1024;

const builtTiles = new ShareCache<BuiltTile & { owner: object }>({
  maxSize: maxBytes,
  sizeOf: ({ tile }) => tile.byteLength,
});

/**
 * The last tile that a cell built, while there is room: the cells of an isolate share it. An object that was evicted
 * and created again does not see the tile of the earlier one.
 */
export class BuiltTileOf {
  /** Returns the tile; undefined if there is none. */
  get(application: string, cell: string): BuiltTile | undefined {
    const built = builtTiles.get(application, cell);
    return built?.owner === this ? built : undefined;
  }

  set(application: string, cell: string, built: BuiltTile): void {
    builtTiles.set(application, cell, { ...built, owner: this });
  }
}
