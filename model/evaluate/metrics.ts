import { type PausableWork, runWithoutPauses } from "../pausable-work.ts";
import { Random } from "../train/random.ts";

/** Ranking quality over a set of events: means, each from 0 to 1. */
export interface RankingQuality {
  /** Number of events. */
  n: number;
  /** Accuracy at k: share of the events whose product ranks among the first k. */
  acc1: number;
  acc5: number;
  acc10: number;
  ndcg10: number;
  mrr10: number;
  /** 95% bootstrap interval of ndcg10, resampled by user; null if there are no events. */
  ci: ConfidenceInterval | null;
}

/** The difference of two methods' NDCG@10 on the same events. */
export interface NdcgGain {
  ndcg10: number;
  /** 95% bootstrap interval of the difference, resampled by user; null if there are no events. */
  ci: ConfidenceInterval | null;
}

/** Lower and upper bound. */
export type ConfidenceInterval = [low: number, high: number];

/** The ranks of an event's product by one method, one for each seed. A rank is 1 or more; infinity means missed. */
export type Ranks = readonly number[];

/** Returns 1 if the product is among the first k, otherwise 0. */
const accuracyAt =
  (k: number) =>
  (rank: number): number =>
    rank <= k ? 1 : 0;

/** Returns NDCG@10 with one relevant item at `rank` (from 1): Järvelin and Kekäläinen, TOIS 20(4), 2002. */
export const ndcgAt10 = (rank: number): number => (rank <= 10 ? 1 / Math.log2(rank + 1) : 0);

const reciprocalAt10 = (rank: number): number => (rank <= 10 ? 1 / rank : 0);

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

/** Returns an event's metric, averaged over its seeds. */
const meanMetric = (ranks: Ranks, metric: (rank: number) => number): number => mean(ranks.map(metric));

/** Returns the quality of a method. `events` holds each event's ranks, and `userIds` each event's user. */
export function rankingQuality(events: readonly Ranks[], userIds: readonly string[]): RankingQuality {
  const meanOf = (metric: (rank: number) => number): number =>
    mean(events.map((ranks) => meanMetric(ranks, metric)));
  return {
    n: events.length,
    acc1: meanOf(accuracyAt(1)),
    acc5: meanOf(accuracyAt(5)),
    acc10: meanOf(accuracyAt(10)),
    ndcg10: meanOf(ndcgAt10),
    mrr10: meanOf(reciprocalAt10),
    ci: bootstrapInterval(
      events.map((ranks) => meanMetric(ranks, ndcgAt10)),
      userIds,
    ),
  };
}

/**
 * Returns the gain in NDCG@10 of method `better` over method `worse` on the same events; `userIds` holds each event's
 * user.
 */
export function ndcgGain(
  better: readonly Ranks[],
  worse: readonly Ranks[],
  userIds: readonly string[],
): NdcgGain {
  const differences = better.map((ranks, i) => meanMetric(ranks, ndcgAt10) - meanMetric(worse[i], ndcgAt10));
  return { ndcg10: mean(differences), ci: bootstrapInterval(differences, userIds) };
}

const resamples = 500;
const bootstrapSeed = 11;
/** Resamples between two pauses. Sixteen resamples of 4,000 users take about 1 ms on one core. */
const resamplesPerPause = 16;

/**
 * Returns the 95% interval of the mean of `values`, or of sum(values) / sum(against) if `against` is given; null
 * without values. A percentile bootstrap (Efron, Annals of Statistics 7(1), 1979) resamples users instead of events,
 * since the events of a user depend on each other.
 */
export const bootstrapInterval = (
  values: readonly number[],
  userIds: readonly string[],
  against?: readonly number[],
): ConfidenceInterval | null => runWithoutPauses(bootstrapIntervalPausable(values, userIds, against));

/** Computes {@link bootstrapInterval} and yields about every millisecond. */
export function* bootstrapIntervalPausable(
  values: readonly number[],
  userIds: readonly string[],
  against?: readonly number[],
): PausableWork<ConfidenceInterval | null> {
  const sums = new Map<string, { value: number; against: number }>();
  values.forEach((value, i) => {
    const each = sums.get(userIds[i]) ?? { value: 0, against: 0 };
    each.value += value;
    each.against += against ? against[i] : 1;
    sums.set(userIds[i], each);
  });
  const groups = [...sums.values()];
  if (groups.length === 0) return null;
  const random = new Random(bootstrapSeed);
  const means: number[] = [];
  for (let n = 0; n < resamples; n++) {
    if (n % resamplesPerPause === 0) yield;
    const sum = { value: 0, against: 0 };
    for (let i = 0; i < groups.length; i++) {
      const each = groups[random.below(groups.length)];
      sum.value += each.value;
      sum.against += each.against;
    }
    means.push(sum.value / sum.against);
  }
  means.sort((a, b) => a - b);
  return [means[Math.floor(resamples * 0.025)], means[Math.floor(resamples * 0.975)]];
}

/**
 * Returns the Gini coefficient of counts over `size` products; products without a count count as 0. It is 0 if all
 * counts are equal, and close to 1 if one product has all counts.
 */
export function gini(counts: readonly number[], size: number): number {
  const ordered = [...new Array<number>(size - counts.length).fill(0), ...[...counts].sort((a, b) => a - b)];
  const total = ordered.reduce((sum, count) => sum + count, 0);
  if (total === 0) return 0;
  const weighted = ordered.reduce((sum, count, i) => sum + (i + 1) * count, 0);
  return (2 * weighted) / (size * total) - (size + 1) / size;
}
