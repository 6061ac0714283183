/** How often a cell publishes, in milliseconds. A KV key takes one write a second, and is the dearest write. */
export interface Pace {
  /** Changes of products wait so long for others to join them ... */
  gather: number;
  /** ... and are published at most so often. */
  changes: number;
  /** Counters alone are published at most so often ... */
  counters: number;
  /** ... while they double what is shown, so often. */
  young: number;
}

export const leafPace: Pace = { gather: 100, changes: 1000, counters: 60_000, young: 5000 };

/**
 * A parent is rebuilt from all its children: it waits for more of them, but not for long, since it says which of them have
 * news.
 */
export const parentPace: Pace = { gather: 250, changes: 2000, counters: 60_000, young: 5000 };

/** What waits to be published. */
export interface Dirt {
  /** A product, its price or availability, or a child changed. */
  changed: boolean;
  /** Interactions counted since the last publication. */
  counted: number;
  /** Interactions that the last publication showed. */
  shown: number;
  /** When the last publication was, milliseconds; 0 for never. */
  publishedAt: number;
}

/** Counters below this share of what is shown wait for more. */
const worthwhileShare = 0.02;

/**
 * When to publish, in milliseconds; null for not at all. What changed goes out at once; counters at the slow
 * pace, but sooner while they double what is shown: a young cell learns quickly, a busy one is cheap.
 */
export function publishAt(dirt: Dirt, now: number, pace: Pace): number | null {
  if (dirt.changed) return Math.max(now + pace.gather, dirt.publishedAt + pace.changes);
  if (dirt.counted === 0) return null;
  if (dirt.counted >= dirt.shown) return Math.max(now + pace.gather, dirt.publishedAt + pace.young);
  if (dirt.counted < worthwhileShare * dirt.shown)
    return Math.max(now, dirt.publishedAt) + 10 * pace.counters;
  return Math.max(now + pace.gather, dirt.publishedAt + pace.counters);
}
