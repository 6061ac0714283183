import { type GateConfiguration, maxLatencyMs } from "./gate.ts";

/** A model whose runs are timed from outside, with what surrounds them. */
export interface Timed {
  /** Runs that `many` makes and `none` does not. */
  runs: number;
  /** Milliseconds of what surrounds the runs alone, and with them. */
  none(): Promise<number>;
  many(): Promise<number>;
}

/** Milliseconds of one run each. */
export interface Latency {
  candidateMs: number;
  servingMs: number;
}

/** Rounds in any case, and as long as the candidate seems too slow. */
const minRounds = 5;
const maxRounds = 20;

/** The quickest of what was seen: whatever else a machine does only makes things slower. */
function quickest({ runs, none, many }: Timed): { look(): Promise<void>; ms(): number } {
  let least = { none: Number.POSITIVE_INFINITY, many: Number.POSITIVE_INFINITY };
  return {
    async look() {
      least = { none: Math.min(least.none, await none()), many: Math.min(least.many, await many()) };
    },
    ms: () => Math.max(0, least.many - least.none) / runs,
  };
}

/**
 * How long a candidate and what serves take. They take turns, so that what else the machine does falls on both, and go on
 * while the candidate seems slower than it may be: a busy moment is not its fault.
 */
export async function latencyOf(
  candidate: Timed,
  serving: Timed,
  configuration: GateConfiguration,
): Promise<Latency> {
  const [one, other] = [quickest(candidate), quickest(serving)];
  for (let round = 0; round < maxRounds; round++) {
    if (round >= minRounds && one.ms() <= maxLatencyMs(other.ms(), configuration)) break;
    await one.look();
    await other.look();
  }
  return { candidateMs: one.ms(), servingMs: other.ms() };
}
