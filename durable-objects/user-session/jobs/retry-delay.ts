/** Delays before a failed step is repeated, in seconds. The delay doubles with each failure. */
export interface RetryDelays {
  minSeconds: number;
  maxSeconds: number;
}

/** Delays of jobs whose steps scan other stores. */
export const scanRetryDelays: RetryDelays = { minSeconds: 5, maxSeconds: 300 };

/** Returns the seconds to wait after a step has failed once more than `failures` times. */
export const retryDelay = (failures: number, { minSeconds, maxSeconds }: RetryDelays): number =>
  Math.min(maxSeconds, minSeconds * 2 ** failures);

/** Returns the state of a job whose step failed at `now`, in seconds since the epoch. */
export const afterFailure = <State extends { failures: number; due: number | null }>(
  state: State,
  now: number,
  delays: RetryDelays,
): State => ({ ...state, failures: state.failures + 1, due: now + retryDelay(state.failures, delays) });
