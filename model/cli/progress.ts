import type { TrainingProgress } from "../train/train.ts";

let lastPrint = 0;

/** Prints a line of progress: in place on a terminal, every few seconds elsewhere. */
export function progress(line: string, last = false): void {
  const now = Date.now();
  if (process.stdout.isTTY) {
    if (!last && now - lastPrint < 100) return;
    process.stdout.write(`\r\x1b[K${line}${last ? "\n" : ""}`);
  } else {
    if (!last && now - lastPrint < 5000) return;
    console.log(line);
  }
  lastPrint = now;
}

const duration = (seconds: number): string =>
  seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;

/** Where training is, in one line. */
export const trainingLine = (p: TrainingProgress): string =>
  `epoch ${p.epoch}/${p.epochs}  ${Math.floor((100 * p.done) / p.total)}%  loss ${p.loss.toFixed(4)}  AUC ${Number.isNaN(p.auc) ? "-" : p.auc.toFixed(4)}  ${Math.round(p.samplesPerSecond).toLocaleString("en")} samples/s  ${duration(p.secondsLeft)} left`;

/** A share as a line. */
export const shareLine = (name: string, done: number, total: number): string =>
  `${name}  ${Math.floor((100 * done) / Math.max(1, total))}%`;
