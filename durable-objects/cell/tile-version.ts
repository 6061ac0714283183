/** Smallest version that is a time: releases up to 0.2 counted publications from 1, or from seconds since the epoch. */
const firstTime = 1e12;

/**
 * Returns the version of a new tile: the time in milliseconds since the epoch, or one more than the version before where
 * that is not less. So a version never comes again, even if the cell lost its state.
 */
export const nextVersion = (version: number, now: number): number => Math.max(version + 1, now);

/** How long KV keeps a tile, in seconds. An expired key is deleted without a charge. */
export const tileLifeSeconds = 7 * 86_400;

/** Age from which on readers ask the cell for its tile, in milliseconds: KV is about to delete it. */
const readableFromKvMs = (tileLifeSeconds - 86_400) * 1000;

/** Returns whether KV holds the tile of a version, and will for a day. False for versions of releases up to 0.2. */
export const isReadableFromKv = (version: number, now: number): boolean =>
  version >= firstTime && now - version < readableFromKvMs;
