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

const duration = (seconds: number): string =>
  seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;

/** Returns the progress of training as one line. */
export const trainingProgressLine = (p: TrainingProgress): string =>
  `epoch ${p.epoch}/${p.epochs}  ${Math.floor((100 * p.doneLists) / p.totalLists)}%  loss ${p.loss.toFixed(4)}  AUC ${Number.isNaN(p.auc) ? "-" : p.auc.toFixed(4)}  ${Math.round(p.candidatesPerSecond).toLocaleString("en")} samples/s  ${duration(p.secondsLeft)} left`;

/** Training hooks that print progress to the terminal. */
export const terminalHooks = {
  clock: (): number => performance.now() / 1000,
  onExamples: (done: number, total: number): void => printProgress(percentLine("examples", done, total)),
  onProgress: (progress: TrainingProgress): void =>
    printProgress(trainingProgressLine(progress), progress.doneLists === progress.totalLists),
};

/** Returns the progress of a task in percent as one line. */
export const percentLine = (name: string, done: number, total: number): string =>
  `${name}  ${Math.floor((100 * done) / Math.max(1, total))}%`;
