/** Ends the process with one clear line; for mistakes that a person can mend. */
export function exitWithError(line: string): never {
  console.error(line);
  process.exit(1);
}

const seconds = (since: number): string => `${((Date.now() - since) / 1000).toFixed(1)} s`;

/** One line of progress: rewritten in place on a terminal, a new line every few seconds elsewhere. */
export class ProgressLine {
  readonly #name: string;
  readonly #started = Date.now();
  #printed = 0;

  constructor(name: string) {
    this.#name = name;
    if (process.stdout.isTTY) process.stdout.write(`  … ${name}`);
  }

  /** Says how far it is. */
  update(detail: string): void {
    const now = Date.now();
    if (process.stdout.isTTY) {
      if (now - this.#printed < 100) return;
      process.stdout.write(`\r\x1b[K  … ${this.#name}  ${detail}`);
    } else {
      if (now - this.#printed < 5000) return;
      console.log(`  … ${this.#name}  ${detail}`);
    }
    this.#printed = now;
  }

  /** Ends well. */
  done(detail = ""): void {
    const line = `  ✓ ${this.#name}${detail && `  ${detail}`}  (${seconds(this.#started)})`;
    console.log(process.stdout.isTTY ? `\r\x1b[K${line}` : line);
  }

  /** Ends badly: prints why and ends the process's work with it. */
  fail(why: string): never {
    console.log(process.stdout.isTTY ? `\r\x1b[K  ✗ ${this.#name}` : `  ✗ ${this.#name}`);
    throw new Error(why);
  }
}

/** `12,345 / 20,000 (61%)`. */
export const progressText = (done: number, total: number): string =>
  `${done.toLocaleString("en")} / ${total.toLocaleString("en")} (${Math.floor((100 * done) / Math.max(1, total))}%)`;
