/**
 * How often a cell publishes its tile, in milliseconds. KV accepts one write per second and key, and a KV write costs
 * more than any other write.
 */
export interface PublishPolicy {
  /** Delay after a change, so that changes that follow are published in the same tile. */
  gatherMs: number;
  /** Minimum interval between publications of product changes. */
  minChangeIntervalMs: number;
  /** Minimum interval between publications of interaction counts alone. */
  minCounterIntervalMs: number;
  /** Minimum interval between publications of interaction counts that at least double the published ones. */
  minGrowthIntervalMs: number;
}

/** Publish policy of a cell that shows its own products. */
export const leafPolicy: PublishPolicy = {
  gatherMs: 100,
  minChangeIntervalMs: 1000,
  minCounterIntervalMs: 60_000,
  minGrowthIntervalMs: 5000,
};

/**
 * Publish policy of a cell that shows the summaries of its children. A parent waits longer, to gather more summaries in
 * one tile. The delay stays short, because readers learn from the parent's tile which children have a new version.
 */
export const parentPolicy: PublishPolicy = {
  gatherMs: 250,
  minChangeIntervalMs: 2000,
  minCounterIntervalMs: 60_000,
  minGrowthIntervalMs: 5000,
};

/** What a cell has to publish. */
export interface PublishState {
  /** Whether a product or a child's summary changed since the last publication. */
  contentChanged: boolean;
  /** Interactions counted since the last publication. */
  pendingInteractions: number;
  /** Interactions in the last published tile. */
  publishedInteractions: number;
  /** Time of the last publication, milliseconds since the epoch; 0 if there was none. */
  publishedAt: number;
}

/** Interaction counts that grow by less than this share are published {@link smallGrowthDelay} times as rarely. */
const minGrowthShare = 0.02;
const smallGrowthDelay = 10;

/**
 * Returns when to publish, in milliseconds since the epoch; null if there is nothing to publish. Changes are published
 * first, interaction counts rarely. Counts that double the published ones are published sooner: a new cell becomes
 * useful quickly, and a busy cell stays cheap.
 */
export function publishAt(state: PublishState, now: number, policy: PublishPolicy): number | null {
  const { contentChanged, pendingInteractions, publishedInteractions, publishedAt } = state;
  if (contentChanged) return Math.max(now + policy.gatherMs, publishedAt + policy.minChangeIntervalMs);
  if (pendingInteractions === 0) return null;
  if (pendingInteractions >= publishedInteractions)
    return Math.max(now + policy.gatherMs, publishedAt + policy.minGrowthIntervalMs);
  if (pendingInteractions < minGrowthShare * publishedInteractions)
    return Math.max(now, publishedAt) + smallGrowthDelay * policy.minCounterIntervalMs;
  return Math.max(now + policy.gatherMs, publishedAt + policy.minCounterIntervalMs);
}
