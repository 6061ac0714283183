/** How often a cell publishes, in milliseconds. A KV key takes one write a second, and is the dearest write. */
export interface PublishPolicy {
  /** Changes of products wait so long for others to join them ... */
  gather: number;
  /** ... and are published at most so often. */
  changes: number;
  /** Counters alone are published at most so often ... */
  counters: number;
  /** ... while they double what is shown, so often. */
  young: number;
}

export const leafPolicy: PublishPolicy = { gather: 100, changes: 1000, counters: 60_000, young: 5000 };

/**
 * A parent is rebuilt from all its children: it waits for more of them, but not for long, since it says which of them have
 * news.
 */
export const parentPolicy: PublishPolicy = { gather: 250, changes: 2000, counters: 60_000, young: 5000 };

/** What waits to be published. */
export interface PublishState {
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
export function publishAt(state: PublishState, now: number, pace: PublishPolicy): number | null {
  if (state.changed) return Math.max(now + pace.gather, state.publishedAt + pace.changes);
  if (state.counted === 0) return null;
  if (state.counted >= state.shown) return Math.max(now + pace.gather, state.publishedAt + pace.young);
  if (state.counted < worthwhileShare * state.shown)
    return Math.max(now, state.publishedAt) + 10 * pace.counters;
  return Math.max(now + pace.gather, state.publishedAt + pace.counters);
}
