/** Minimum time between two updates: short on a terminal, long where each update is a line of its own. */
const terminalIntervalMs = 100;
const logIntervalMs = 5000;

const seconds = (since: number): string => `${((Date.now() - since) / 1000).toFixed(1)} s`;

/**
 * Progress of one task. On a terminal the line is rewritten in place; elsewhere (a pipe, a log file) a new line is
 * printed every five seconds.
 */
export class ProgressLine {
  readonly #name: string;
  readonly #started = Date.now();
  #printed = 0;

  constructor(name: string) {
    this.#name = name;
    if (process.stdout.isTTY) process.stdout.write(`  … ${name}`);
  }

  /** Shows how far the task is. */
  update(detail: string): void {
    const now = Date.now();
    if (process.stdout.isTTY) {
      if (now - this.#printed < terminalIntervalMs) return;
      process.stdout.write(`\r\x1b[K  … ${this.#name}: ${detail}`);
    } else {
      if (now - this.#printed < logIntervalMs) return;
      console.log(`  … ${this.#name}: ${detail}`);
    }
    this.#printed = now;
  }

  /** Marks the task as done and prints how long it took. */
  done(detail = ""): void {
    const line = `  ✓ ${this.#name}${detail && `: ${detail}`} (${seconds(this.#started)})`;
    console.log(process.stdout.isTTY ? `\r\x1b[K${line}` : line);
  }
}

/** Returns progress as text: `12,345 / 20,000 (61%)`. */
export const progressText = (done: number, total: number): string =>
  `${done.toLocaleString("en")} / ${total.toLocaleString("en")} (${Math.floor((100 * done) / Math.max(1, total))}%)`;
