/** How an event counts for others, as decided when it arrived. */
export interface CountedEvent {
  /** Whether it counts at all. */
  counts: boolean;
  /** Whether it was the first choice of its product that counts. */
  first: boolean;
  /** Whether it was the first purchase of its product that counts. */
  firstPurchase: boolean;
  /** The gaps, 1 to 3, at which it counts as a transition from a choice before it. */
  gaps: readonly number[];
}

/** How a row counts that is no event, or an event that does not count. */
export const notCounted: CountedEvent = { counts: false, first: false, firstPurchase: false, gaps: [] };

/** Bits of the column `first`. The bit of an event that does not count is set, because events of version 0.2 count. */
const firstChoiceBit = 1;
const firstPurchaseBit = 2;
const uncountedBit = 4;
/** Bits of the gaps at which an event counts as a transition. */
const gapBits = [
  { gap: 1, bit: 8 },
  { gap: 2, bit: 16 },
  { gap: 3, bit: 32 },
] as const;

/** Returns how an event counts, as a number that the journal stores. */
export const encodeCounted = ({ counts, first, firstPurchase, gaps }: CountedEvent): number =>
  (first ? firstChoiceBit : 0) +
  (firstPurchase ? firstPurchaseBit : 0) +
  (counts ? 0 : uncountedBit) +
  gapBits.reduce((sum, { gap, bit }) => sum + (gaps.includes(gap) ? bit : 0), 0);

/** Returns how an event counts that is stored as `bits`. */
export const decodeCounted = (bits: number): CountedEvent => ({
  counts: (bits & uncountedBit) === 0,
  first: (bits & firstChoiceBit) > 0,
  firstPurchase: (bits & firstPurchaseBit) > 0,
  gaps: gapBits.flatMap(({ gap, bit }) => ((bits & bit) > 0 ? [gap] : [])),
});
