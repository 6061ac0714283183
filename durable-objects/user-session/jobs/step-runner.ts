import { maxPagesPerRun } from "./scan-limits.ts";

/** Runs the due steps of one kind of job, one at a time: a call during a run waits for that run. */
export class StepRunner<State> {
  readonly #nextDue: (now: number) => State | null;
  readonly #runStep: (state: State, now: number) => Promise<boolean>;
  #running: Promise<void> | null = null;

  /**
   * `nextDue` returns the state of the job whose step is due at a time, in seconds since the epoch; null if none is.
   * `runStep` runs that step and stores the result, also that of a failed step. It returns whether the step was a page
   * of a phase that goes on.
   */
  constructor(
    nextDue: (now: number) => State | null,
    runStep: (state: State, now: number) => Promise<boolean>,
  ) {
    this.#nextDue = nextDue;
    this.#runStep = runStep;
  }

  /**
   * Runs due steps until `end`, milliseconds since the epoch, or {@link maxPagesPerRun} pages. At least one step runs if
   * one is due.
   */
  advance(end: number): Promise<void> {
    this.#running ??= this.#advance(end).finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #advance(end: number): Promise<void> {
    for (let pages = 0; pages < maxPagesPerRun; ) {
      const now = Date.now() / 1000;
      const state = this.#nextDue(now);
      if (state === null) return;
      if (await this.#runStep(state, now)) pages++;
      if (Date.now() >= end) return;
    }
  }
}
