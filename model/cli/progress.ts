import type { TrainingProgress } from "../train/train.ts";

/** Shortest time between two progress lines, in milliseconds: in place on a terminal, and in a log. */
const terminalIntervalMs = 100;
const logIntervalMs = 5000;

let lastPrint = 0;

/**
 * Prints a progress line: on a terminal over the previous line, otherwise as a new line every few seconds. The `last`
 * line is always printed.
 */
export function printProgress(line: string, last = false): void {
  const now = Date.now();
  if (process.stdout.isTTY) {
    if (!last && now - lastPrint < terminalIntervalMs) return;
    process.stdout.write(`\r\x1b[K${line}${last ? "\n" : ""}`);
  } else {
    if (!last && now - lastPrint < logIntervalMs) return;
    console.log(line);
  }
  lastPrint = now;
}

/**
 * Progress of several tasks at the same time. A terminal shows one line for each running task, in place; a log gets the line
 * of each task every few seconds, with its name.
 */
export class NamedProgress {
  readonly #lines = new Map<string, string>();
  readonly #printed = new Map<string, number>();
  #shown = 0;

  /** Shows the line of a task. */
  show(name: string, line: string): void {
    this.#lines.set(name, line);
    const key = process.stdout.isTTY ? "" : name;
    const now = Date.now();
    const interval = process.stdout.isTTY ? terminalIntervalMs : logIntervalMs;
    if (now - (this.#printed.get(key) ?? 0) < interval) return;
    this.#printed.set(key, now);
    if (process.stdout.isTTY) this.#draw();
    else console.log(`${name}  ${line}`);
  }

  /** Prints the last line of a task above those of the others. */
  end(name: string, line: string): void {
    this.#lines.delete(name);
    if (process.stdout.isTTY) this.#draw(`${name}  ${line}`);
    else console.log(`${name}  ${line}`);
  }

  /** Draws the lines over the lines before, each cut to the width of the terminal so that none takes two rows. */
  #draw(above?: string): void {
    const width = process.stdout.columns ?? 80;
    const running = [...this.#lines].map(([name, line]) => `${name}  ${line}`);
    const rows = (above === undefined ? running : [above, ...running]).map((row) => row.slice(0, width - 1));
    const up = this.#shown > 0 ? `\x1b[${this.#shown}A` : "";
    process.stdout.write(`${up}\r\x1b[J${rows.map((row) => `${row}\n`).join("")}`);
    this.#shown = running.length;
  }
}

const duration = (seconds: number): string =>
  seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;

/** Returns the progress of training as one line. */
export const trainingProgressLine = (p: TrainingProgress): string =>
  `epoch ${p.epoch}/${p.epochs}  ${Math.floor((100 * p.doneLists) / p.totalLists)}%  loss ${p.loss.toFixed(4)}  AUC ${Number.isNaN(p.auc) ? "-" : p.auc.toFixed(4)}  ${Math.round(p.candidatesPerSecond).toLocaleString("en")} samples/s  ${duration(p.secondsLeft)} left`;

/** Seconds, for the speed and the remaining time of a training. */
export const trainingClock = (): number => performance.now() / 1000;

/** Training hooks that print progress to the terminal. */
export const terminalHooks = {
  clock: trainingClock,
  onExamples: (done: number, total: number): void => printProgress(percentLine("examples", done, total)),
  onProgress: (progress: TrainingProgress): void =>
    printProgress(trainingProgressLine(progress), progress.doneLists === progress.totalLists),
};

/** Returns the progress of a task in percent as one line. */
export const percentLine = (name: string, done: number, total: number): string =>
  `${name}  ${Math.floor((100 * done) / Math.max(1, total))}%`;
