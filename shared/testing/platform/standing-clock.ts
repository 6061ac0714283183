/**
 * A clock as Workers have it on Cloudflare: it stands still while code computes, and shows the time again after each wait.
 * The local runtime's clock advances all the time instead.
 */
export class StandingClock {
  #passedMs = 0;
  #shownMs = 0;

  /** Returns what `performance.now()` returns on Cloudflare: the time of the last wait's end, in milliseconds. */
  now = (): number => this.#shownMs;

  /** Milliseconds that have really passed. */
  get passedMs(): number {
    return this.#passedMs;
  }

  /** Computes for so many milliseconds, which the clock does not show. */
  work(ms: number): void {
    this.#passedMs += ms;
  }

  /** Waits for input or output for so many milliseconds. Afterwards the clock shows all that has passed. */
  async wait(ms: number): Promise<void> {
    this.#passedMs += ms;
    await Promise.resolve();
    this.#shownMs = this.#passedMs;
  }
}
