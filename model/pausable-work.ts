/** Work that yields after about every millisecond of CPU time and returns a result at its end. */
export type PausableWork<T> = Generator<void, T, void>;

/** Runs the work to its end without a pause. Returns the result. */
export function runWithoutPauses<T>(work: PausableWork<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

/**
 * Runs the work to its end and awaits `pause` at each yield, so that other requests run meanwhile. Returns the result.
 */
export async function runWithPauses<T>(work: PausableWork<T>, pause: () => Promise<void>): Promise<T> {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    await pause();
  }
}
