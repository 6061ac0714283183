/**
 * How often a cell publishes, in milliseconds. A leaf writes its tile to KV, where a write costs more than any other. A
 * parent reports to its own parent.
 */
export interface PublishPolicy {
  /** Delay after a change, so that changes that follow are published together. */
  gatherMs: number;
  /** Minimum interval between publications of product changes. */
  minChangeIntervalMs: number;
  /** Minimum interval between publications of interaction counts alone. */
  minCounterIntervalMs: number;
  /** Minimum interval between publications of interaction counts that at least double the published ones. */
  minGrowthIntervalMs: number;
  /** How long interaction counts wait that grow by less than {@link minGrowthShare}. */
  smallGrowthDelayMs: number;
  /** How long fewer than `minSmallGrowth` interactions wait that grow the counts by less than {@link minGrowthShare}. */
  quietDelayMs: number;
  minSmallGrowth: number;
}

/** Publish policy of a cell that shows its own products. */
export const leafPolicy: PublishPolicy = {
  gatherMs: 100,
  minChangeIntervalMs: 1000,
  minCounterIntervalMs: 60_000,
  minGrowthIntervalMs: 5000,
  smallGrowthDelayMs: 600_000,
  quietDelayMs: 6 * 3_600_000,
  minSmallGrowth: 20,
};

/**
 * Publish policy of a cell that shows the summaries of its children. Readers ask its object for its own tile, so only the
 * cells above wait for it.
 */
export const parentPolicy: PublishPolicy = {
  gatherMs: 250,
  minChangeIntervalMs: 2000,
  minCounterIntervalMs: 60_000,
  minGrowthIntervalMs: 5000,
  smallGrowthDelayMs: 600_000,
  quietDelayMs: 24 * 3_600_000,
  minSmallGrowth: 100,
};

/** Publish policy of a cell that has split. Its directory lists its leaves, and learns of them through it. */
export const splitPolicy: PublishPolicy = { ...parentPolicy, gatherMs: 50, minChangeIntervalMs: 500 };

/** What a cell has to publish. */
export interface PublishState {
  /** Whether a product or a child's summary changed since the last publication. */
  contentChanged: boolean;
  /** Whether the tile is to be published although nothing changed, because KV is about to delete it. */
  renew: boolean;
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
  renew,
  pendingInteractions,
  publishedInteractions,
}: PublishState): boolean =>
  !contentChanged && !renew && pendingInteractions < minGrowthShare * publishedInteractions;

/** Returns how long counts with small growth wait, in milliseconds. */
const smallGrowthDelayMs = ({ pendingInteractions }: PublishState, policy: PublishPolicy): number =>
  pendingInteractions < policy.minSmallGrowth ? policy.quietDelayMs : policy.smallGrowthDelayMs;

/** Returns the minimum interval between the last publication and the next one, in milliseconds. */
function minIntervalMs(state: PublishState, policy: PublishPolicy): number {
  if (state.contentChanged || state.renew) return policy.minChangeIntervalMs;
  if (hasSmallGrowth(state)) return smallGrowthDelayMs(state, policy);
  const isDoubled = state.pendingInteractions >= state.publishedInteractions;
  return isDoubled ? policy.minGrowthIntervalMs : policy.minCounterIntervalMs;
}

/**
 * Returns from when on the tile may be published, in milliseconds since the epoch; null if there is nothing to publish.
 */
export function publishableFrom(state: PublishState, policy: PublishPolicy): number | null {
  const isUnpublished = state.contentChanged || state.renew || state.pendingInteractions > 0;
  return isUnpublished ? state.publishedAt + minIntervalMs(state, policy) : null;
}

/**
 * Returns when to publish, in milliseconds since the epoch; null if there is nothing to publish. Changes are published
 * first, interaction counts rarely. Counts that double the published ones are published sooner: a new cell becomes
 * useful quickly, and a busy cell stays cheap. Counts that hardly grow wait for those that follow: an event in a quiet
 * place publishes no tile of its own.
 */
export function publishAt(state: PublishState, now: number, policy: PublishPolicy): number | null {
  const from = publishableFrom(state, policy);
  if (from === null) return null;
  return Math.max(now + (hasSmallGrowth(state) ? smallGrowthDelayMs(state, policy) : policy.gatherMs), from);
}
