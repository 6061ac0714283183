import { maxCandidatesPerRun } from "../onnx/inspect/limits.ts";
import type { Ranker } from "./ports.ts";

/**
 * Milliseconds of processor time, estimated from counts. The clock of a Worker stands still while it computes
 * (https://developers.cloudflare.com/workers/runtime-apis/performance), so a budget that waits for the clock would never
 * end. The estimates are twice what `npm run bench -- --only parts` measures, for slower machines.
 */
const msPerCandidate = { features: 0.0035, rules: 0.0005 };
const multiplyAddsPerMs = 4_000_000;

/** Estimate for a ranker that does not say what it costs. */
const unknownRankingMs = 1;

/** Returns the estimated time of computing the features of so many candidates, in milliseconds. */
export const featuresMs = (candidates: number): number => candidates * msPerCandidate.features;

/** Returns the estimated time of ranking so many candidates and of applying the rules to them, in milliseconds. */
export function rankingMs(ranker: Ranker, candidates: number): number {
  const { multiplyAdds } = ranker;
  const scoring =
    multiplyAdds === undefined
      ? unknownRankingMs
      : (multiplyAdds * candidates) / maxCandidatesPerRun / multiplyAddsPerMs;
  return scoring + candidates * msPerCandidate.rules;
}

/**
 * What is left of a budget of milliseconds, by waits and counted work. The clock is read right after a wait, when it shows
 * the time on Cloudflare too; work since then is counted.
 */
export class RequestBudget {
  readonly #clock: () => number;
  readonly #deadlineMs: number;
  #shownMs: number;
  #workMs = 0;

  /** `clock` returns milliseconds since any fixed start, and has just advanced. */
  constructor(budgetMs: number, clock: () => number) {
    this.#clock = clock;
    this.#shownMs = clock();
    this.#deadlineMs = this.#shownMs + budgetMs;
  }

  /** Reads the clock. Call this right after each wait: it then also shows the work before the wait. */
  waited(): void {
    this.#shownMs = this.#clock();
    this.#workMs = 0;
  }

  /** Counts work since the last wait, by its estimated milliseconds. */
  worked(ms: number): void {
    this.#workMs += ms;
  }

  /** Milliseconds that are left; infinity without a budget. */
  get remainingMs(): number {
    return this.#deadlineMs - this.#shownMs - this.#workMs;
  }
}
