/**
 * Sums over the people of one arm, of `n` exposures and `s` successes each: all that the test needs. People, not exposures,
 * are what was drawn: what one person does again and again is one observation that counts for more, not many.
 */
export interface ArmTotals {
  people: number;
  /** Σn. */
  exposures: number;
  /** Σs. */
  successes: number;
  /** Σn². */
  exposuresSquared: number;
  /** Σns. */
  exposuresTimesSuccesses: number;
  /** Σs². */
  successesSquared: number;
}
