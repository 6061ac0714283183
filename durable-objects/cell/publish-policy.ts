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

/** Counts that grow by less than this share of the published ones are published {@link smallGrowthDelay} times as rarely. */
const minGrowthShare = 0.1;
const smallGrowthDelay = 10;

/** Returns whether the counts at least double the published ones. */
const isDoubled = ({ pendingInteractions, publishedInteractions }: PublishState): boolean =>
  pendingInteractions >= publishedInteractions;

/** Returns the minimum interval between two publications of counts alone, in milliseconds. */
function counterInterval(state: PublishState, policy: PublishPolicy): number {
  if (isDoubled(state)) return policy.minGrowthIntervalMs;
  const isSmall = state.pendingInteractions < minGrowthShare * state.publishedInteractions;
  return policy.minCounterIntervalMs * (isSmall ? smallGrowthDelay : 1);
}

/**
 * Returns from when on the tile may be published, in milliseconds since the epoch; null if there is nothing to publish.
 */
export function publishableFrom(state: PublishState, policy: PublishPolicy): number | null {
  if (state.contentChanged) return state.publishedAt + policy.minChangeIntervalMs;
  return state.pendingInteractions === 0 ? null : state.publishedAt + counterInterval(state, policy);
}

/**
 * Returns when to publish, in milliseconds since the epoch; null if there is nothing to publish. Changes are published
 * first, interaction counts rarely. Counts that double the published ones are published sooner: a new cell becomes
 * useful quickly, and a busy cell stays cheap. Other counts wait for their interval, so that what follows is published
 * with them: the first event after a quiet hour writes no tile of its own.
 */
export function publishAt(state: PublishState, now: number, policy: PublishPolicy): number | null {
  const from = publishableFrom(state, policy);
  if (from === null) return null;
  const gatherMs =
    state.contentChanged || isDoubled(state) ? policy.gatherMs : counterInterval(state, policy);
  return Math.max(now + gatherMs, from);
}
