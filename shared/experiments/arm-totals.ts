/**
 * Sums over the users of one arm, where a user has `n` exposures and `s` successes: the input of the sequential test.
 * The experiment assigns users, not exposures, to arms, so all exposures of one user form one observation.
 */
export interface ArmTotals {
  /** Number of users. */
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
