import { Random } from "../train/random.ts";

/** Quality over a set of events. */
export interface Quality {
  n: number;
  acc1: number;
  acc5: number;
  acc10: number;
  ndcg10: number;
  mrr10: number;
  /** 95% bootstrap interval of ndcg10, people drawn with replacement. */
  ci: [low: number, high: number];
}

/** NDCG at 10 with one relevant item at `rank` (from 1). */
export const ndcgAt10 = (rank: number): number => (rank <= 10 ? 1 / Math.log2(rank + 1) : 0);

const resamples = 500;

/** Quality from the rank of each event's product (infinity where it is not in the list) and its person. */
export function quality(ranks: readonly number[], people: readonly string[]): Quality {
  const n = ranks.length;
  const share = (k: number): number => ranks.filter((rank) => rank <= k).length / Math.max(1, n);
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / Math.max(1, n);
  return {
    n,
    acc1: share(1),
    acc5: share(5),
    acc10: share(10),
    ndcg10: mean(ranks.map(ndcgAt10)),
    mrr10: mean(ranks.map((rank) => (rank <= 10 ? 1 / rank : 0))),
    ci: interval(ranks.map(ndcgAt10), people),
  };
}

/** 95% interval of the mean by a bootstrap over people: their events depend on each other. */
export function interval(values: readonly number[], people: readonly string[]): [number, number] {
  const sums = new Map<string, { sum: number; n: number }>();
  values.forEach((value, i) => {
    const each = sums.get(people[i]) ?? { sum: 0, n: 0 };
    each.sum += value;
    each.n++;
    sums.set(people[i], each);
  });
  const groups = [...sums.values()];
  if (groups.length === 0) return [Number.NaN, Number.NaN];
  const random = new Random(11);
  const means = Array.from({ length: resamples }, () => {
    let sum = 0;
    let n = 0;
    for (let i = 0; i < groups.length; i++) {
      const each = groups[random.below(groups.length)];
      sum += each.sum;
      n += each.n;
    }
    return sum / n;
  }).sort((a, b) => a - b);
  return [means[Math.floor(resamples * 0.025)], means[Math.floor(resamples * 0.975)]];
}
