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
  /** How long interaction counts wait that grow by less than {@link minGrowthShare}. */
  smallGrowthDelayMs: number;
}

/** Publish policy of a cell that shows its own products. */
export const leafPolicy: PublishPolicy = {
  gatherMs: 100,
  minChangeIntervalMs: 1000,
  minCounterIntervalMs: 60_000,
  minGrowthIntervalMs: 5000,
  smallGrowthDelayMs: 600_000,
};

/**
 * Publish policy of a cell that shows the summaries of its children. A parent waits longer, to gather more summaries in
 * one tile. The delay stays short, because readers learn from the parent's tile which children have a new version.
 */
export const parentPolicy: PublishPolicy = {
  gatherMs: 250,
  minChangeIntervalMs: 2000,
  minCounterIntervalMs: 10_000,
  minGrowthIntervalMs: 2000,
  smallGrowthDelayMs: 600_000,
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

/** Share of the published counts below which growth is small. */
const minGrowthShare = 0.1;

/** Returns whether only interaction counts are to be published, and they have hardly grown. */
const hasSmallGrowth = ({
  contentChanged,
  pendingInteractions,
  publishedInteractions,
}: PublishState): boolean => !contentChanged && pendingInteractions < minGrowthShare * publishedInteractions;

/** Returns the minimum interval between the last publication and the next one, in milliseconds. */
function minIntervalMs(state: PublishState, policy: PublishPolicy): number {
  if (state.contentChanged) return policy.minChangeIntervalMs;
  if (hasSmallGrowth(state)) return policy.smallGrowthDelayMs;
  const isDoubled = state.pendingInteractions >= state.publishedInteractions;
  return isDoubled ? policy.minGrowthIntervalMs : policy.minCounterIntervalMs;
}

/**
 * Returns from when on the tile may be published, in milliseconds since the epoch; null if there is nothing to publish.
 */
export function publishableFrom(state: PublishState, policy: PublishPolicy): number | null {
  const isUnpublished = state.contentChanged || state.pendingInteractions > 0;
  return isUnpublished ? state.publishedAt + minIntervalMs(state, policy) : null;
}

/**
 * Returns when to publish, in milliseconds since the epoch; null if there is nothing to publish. Changes are published
 * first, interaction counts rarely. Counts that double the published ones are published sooner: a new cell becomes
 * useful quickly, and a busy cell stays cheap. Counts that hardly grow wait for those that follow: the first event after
 * a quiet hour publishes no tile of its own.
 */
export function publishAt(state: PublishState, now: number, policy: PublishPolicy): number | null {
  const from = publishableFrom(state, policy);
  if (from === null) return null;
  return Math.max(now + (hasSmallGrowth(state) ? policy.smallGrowthDelayMs : policy.gatherMs), from);
}
