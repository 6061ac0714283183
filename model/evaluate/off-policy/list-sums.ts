import type { EventType } from "../../../shared/contracts/event.ts";
import { hash53 } from "../../columns/hash.ts";
import { rangeCount, rangeOf } from "../../examination/position-ranges.ts";
import type { ListInPlay, LoggedProduct } from "./list-in-play.ts";
import { binCount, limitCount, ScoreBins } from "./score-bins.ts";
import type { TargetList } from "./target-list.ts";

/** What an evaluation counts, for each list. */
export const outcomeMetrics = ["clicks", "purchases"] as const;
export type OutcomeMetric = (typeof outcomeMetrics)[number];

const countsAs: Record<OutcomeMetric, ReadonlySet<EventType | null>> = {
  clicks: new Set(["click", "cart", "purchase"]),
  purchases: new Set(["purchase"]),
};

/** The policies that an evaluation compares: the order of the log without exploration, and the policy in question. */
export const comparedPolicies = ["current", "target"] as const;
export type ComparedPolicy = (typeof comparedPolicies)[number];

/** Groups of users. The interval comes from leaving out one group after the other. */
export const groupCount = 64;

/** Sizes of the sums of one group. */
const cells = rangeCount * binCount;
const pairs = rangeCount * rangeCount;

/** Offsets of the sums of one group, and of those of all groups together. */
let size = 0;
const place = (length: number): number => {
  size += length;
  return size - length;
};
const at = {
  lists: place(1),
  weight: place(1),
  outside: place(1),
  shown: place(cells),
  came: { clicks: place(cells), purchases: place(cells) },
  current: policySums(),
  target: policySums(),
};
/** Numbers of one group. */
const groupSize = size;

size = groupCount * groupSize;
/** Sums of all groups together: products, each divided by its propensity. See {@link ListSums.spread}. */
const spreadAt = {
  current: place(cells),
  dropped: place(cells),
  kept: place(pairs * binCount),
  added: place(pairs * binCount),
};
const limitsAt = place(limitCount);
const totalSize = size;

function policySums() {
  return {
    wanted: place(cells),
    weighted: place(cells),
    moved: { clicks: place(pairs), purchases: place(pairs) },
  };
}

/**
 * Sums over logged lists, from which all estimates are computed. Their size does not depend on the number of lists, and
 * each group of users has its own, so that estimates can leave out a group.
 */
export class ListSums {
  /** The sums of all groups, those of all groups together, then the limits of the bins. */
  readonly numbers: Float64Array<ArrayBuffer>;
  readonly #bins: ScoreBins;

  /** Sums of no lists, or with the `numbers` of earlier sums. */
  constructor(from: ScoreBins | Float64Array<ArrayBuffer>) {
    if (from instanceof ScoreBins) {
      this.numbers = new Float64Array(totalSize);
      this.numbers.set(from.limits, limitsAt);
    } else this.numbers = from;
    this.#bins = new ScoreBins(this.numbers.subarray(limitsAt));
  }

  /** Adds a list, and what the policy in question would show in its place. */
  add(list: ListInPlay, target: TargetList): void {
    const { weight, inPlay, length } = list;
    const binOf = this.#bins.binsOf(list);
    const group = this.numbers.subarray(this.#start(list.pseudonym)).subarray(0, groupSize);
    group[at.lists] += 1;
    group[at.weight] += weight;
    group[at.outside] += weight * target.outside;
    for (const each of inPlay) {
      if (!each.isShown) continue;
      const cell = rangeOf(each.position) * binCount + binOf(each);
      group[at.shown + cell] += weight;
      for (const metric of outcomeMetrics)
        if (countsAs[metric].has(each.outcome)) group[at.came[metric] + cell] += weight;
    }
    addPolicy(group, at.current, weight, inPlay.slice(0, length), binOf);
    addPolicy(group, at.target, weight, target.products, binOf);
    this.#addSpread(list, target, binOf);
  }

  #addSpread(
    { weight, inPlay, length }: ListInPlay,
    target: TargetList,
    binOf: (product: LoggedProduct) => number,
  ): void {
    const { numbers } = this;
    const left = new Set(inPlay.slice(0, length));
    target.products.forEach((each, i) => {
      const pair = rangeOf(each.position) * rangeCount + rangeOf(i + 1);
      const start = left.delete(each) ? spreadAt.kept : spreadAt.added;
      numbers[start + pair * binCount + binOf(each)] += weight / each.propensity;
    });
    for (const each of inPlay.slice(0, length)) {
      const cell = rangeOf(each.position) * binCount + binOf(each);
      numbers[spreadAt.current + cell] += weight / each.propensity;
      if (left.has(each)) numbers[spreadAt.dropped + cell] += weight / each.propensity;
    }
  }

  /**
   * Products, each divided by its propensity, which tell the variance of estimates: `current` and `dropped` by the logged
   * range and the bin, `kept` and `added` by the logged range, the range of the policy in question, and the bin. `dropped`
   * are those of the order of the log that the policy does not show, `added` those that only the policy shows.
   */
  get spread(): Record<keyof typeof spreadAt, Float64Array> {
    const of = (start: number, length: number) => this.numbers.subarray(start, start + length);
    return {
      current: of(spreadAt.current, cells),
      dropped: of(spreadAt.dropped, cells),
      kept: of(spreadAt.kept, pairs * binCount),
      added: of(spreadAt.added, pairs * binCount),
    };
  }

  #start = (pseudonym: string): number => (hash53(pseudonym) % groupCount) * groupSize;

  /** Returns the sums of all groups, or of all but one. */
  total(without = -1): GroupSums {
    const sums = new Float64Array(groupSize);
    for (let group = 0; group < groupCount; group++) {
      if (group === without) continue;
      for (let i = 0; i < groupSize; i++) sums[i] += this.numbers[group * groupSize + i];
    }
    return new GroupSums(sums);
  }

  /** Returns the groups that have lists. */
  groups(): number[] {
    return Array.from({ length: groupCount }, (_, group) => group).filter(
      (group) => this.numbers[group * groupSize + at.lists] > 0,
    );
  }
}

/** Adds a list that a policy shows. */
function addPolicy(
  group: Float64Array,
  offsets: ReturnType<typeof policySums>,
  weight: number,
  products: readonly LoggedProduct[],
  binOf: (product: LoggedProduct) => number,
): void {
  products.forEach((each, i) => {
    const range = rangeOf(i + 1);
    const cell = range * binCount + binOf(each);
    group[offsets.wanted + cell] += weight;
    if (!each.isShown) return;
    const share = weight / each.propensity;
    group[offsets.weighted + cell] += share;
    const pair = rangeOf(each.position) * rangeCount + range;
    for (const metric of outcomeMetrics)
      if (countsAs[metric].has(each.outcome)) group[offsets.moved[metric] + pair] += share;
  });
}

/** Sums over some groups of users. Each list counts by its weight. */
export class GroupSums {
  readonly #sums: Float64Array;

  constructor(sums: Float64Array) {
    this.#sums = sums;
  }

  get lists(): number {
    return this.#sums[at.lists];
  }

  get weight(): number {
    return this.#sums[at.weight];
  }

  /** Estimated share of the policy's positions that products take which the logging policy never shows. */
  get outside(): number {
    return this.#sums[at.outside] / (this.weight || 1);
  }

  /** Products shown, by range of positions and bin of scores. */
  get shown(): Float64Array {
    return this.#sums.subarray(at.shown, at.shown + cells);
  }

  /** Outcomes of the products shown, by range and bin. */
  came(metric: OutcomeMetric): Float64Array {
    return this.#sums.subarray(at.came[metric], at.came[metric] + cells);
  }

  /** Products that a policy would show, by its range and bin. */
  wanted(policy: ComparedPolicy): Float64Array {
    return this.#sums.subarray(at[policy].wanted, at[policy].wanted + cells);
  }

  /** The same, estimated from the products that were shown: each divided by its propensity. */
  weighted(policy: ComparedPolicy): Float64Array {
    return this.#sums.subarray(at[policy].weighted, at[policy].weighted + cells);
  }

  /** Outcomes divided by propensities, by the logged range and the policy's range. */
  moved(policy: ComparedPolicy, metric: OutcomeMetric): Float64Array {
    const start = at[policy].moved[metric];
    return this.#sums.subarray(start, start + pairs);
  }
}
