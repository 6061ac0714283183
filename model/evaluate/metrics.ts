import { type Gradual, runToEnd } from "../gradual.ts";
import { Random } from "../train/random.ts";

/** Quality over a set of events. */
export interface Quality {
  n: number;
  acc1: number;
  acc5: number;
  acc10: number;
  ndcg10: number;
  mrr10: number;
  /** 95% bootstrap interval of ndcg10, people drawn with replacement; null where there is no event. */
  ci: Interval | null;
}

/** A difference of two methods' NDCG at 10 on the same events. */
export interface Gain {
  ndcg10: number;
  /** 95% bootstrap interval of the difference, people drawn with replacement; null where there is no event. */
  ci: Interval | null;
}

/** Lowest and highest. */
export type Interval = [low: number, high: number];

/** The ranks (from 1, infinity for missed) that a method gave an event's product: one, or one for each seed. */
export type Ranks = readonly number[];

/** Accuracy at k: 1 where the product is among the first k. */
const accuracyAt =
  (k: number) =>
  (rank: number): number =>
    rank <= k ? 1 : 0;

/** NDCG at 10 with one relevant item at `rank` (from 1): Järvelin and Kekäläinen, TOIS 20(4), 2002. */
export const ndcgAt10 = (rank: number): number => (rank <= 10 ? 1 / Math.log2(rank + 1) : 0);

const reciprocalAt10 = (rank: number): number => (rank <= 10 ? 1 / rank : 0);

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

/** An event's value: the mean over its seeds. */
const meanMetric = (ranks: Ranks, metric: (rank: number) => number): number => mean(ranks.map(metric));

/** Quality from the ranks of each event's product and its person. */
export function quality(events: readonly Ranks[], people: readonly string[]): Quality {
  const of = (metric: (rank: number) => number): number =>
    mean(events.map((ranks) => meanMetric(ranks, metric)));
  return {
    n: events.length,
    acc1: of(accuracyAt(1)),
    acc5: of(accuracyAt(5)),
    acc10: of(accuracyAt(10)),
    ndcg10: of(ndcgAt10),
    mrr10: of(reciprocalAt10),
    ci: interval(
      events.map((ranks) => meanMetric(ranks, ndcgAt10)),
      people,
    ),
  };
}

/** By how much one method is better than another on the same events, whose people are given. */
export function gain(better: readonly Ranks[], worse: readonly Ranks[], people: readonly string[]): Gain {
  const differences = better.map((ranks, i) => meanMetric(ranks, ndcgAt10) - meanMetric(worse[i], ndcgAt10));
  return { ndcg10: mean(differences), ci: interval(differences, people) };
}

const resamples = 500;
const bootstrapSeed = 11;
/** Of 4,000 people: about 1 ms of one core. */
const resamplesPerPause = 16;

/**
 * 95% interval of the mean by a percentile bootstrap (Efron, Annals of Statistics 7(1), 1979) over people: their events
 * depend on each other. With `against`, of the ratio of the two sums. Null where there is nothing.
 */
export const interval = (
  values: readonly number[],
  people: readonly string[],
  against?: readonly number[],
): Interval | null => runToEnd(intervalGradually(values, people, against));

/** {@link interval}, with pauses. */
export function* intervalGradually(
  values: readonly number[],
  people: readonly string[],
  against?: readonly number[],
): Gradual<Interval | null> {
  const sums = new Map<string, { value: number; against: number }>();
  values.forEach((value, i) => {
    const each = sums.get(people[i]) ?? { value: 0, against: 0 };
    each.value += value;
    each.against += against ? against[i] : 1;
    sums.set(people[i], each);
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

/** Gini coefficient of counts over `size` products: 0 for all alike, towards 1 for one alone. */
export function gini(counts: readonly number[], size: number): number {
  const ordered = [...new Array<number>(size - counts.length).fill(0), ...[...counts].sort((a, b) => a - b)];
  const total = ordered.reduce((sum, count) => sum + count, 0);
  if (total === 0) return 0;
  const weighted = ordered.reduce((sum, count, i) => sum + (i + 1) * count, 0);
  return (2 * weighted) / (size * total) - (size + 1) / size;
}
