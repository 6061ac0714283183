/** Work that stops after every millisecond or so of one core, and answers in the end. */
export type Gradual<T> = Generator<void, T, void>;

/** Does it all at once. */
export function runToEnd<T>(work: Gradual<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

/** Lets others run wherever the work stops. */
export async function gradually<T>(work: Gradual<T>, pause: () => Promise<void>): Promise<T> {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    await pause();
  }
}
