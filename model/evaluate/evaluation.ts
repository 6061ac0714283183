import { gini, type NdcgGain, ndcgGain, type RankingQuality, rankingQuality } from "./metrics.ts";
import type { RankedEvent, TestRanks } from "./rank-test-events.ts";
import { qualityBySlice, type SliceQuality } from "./slices.ts";

/** Quality of a method on slices of the test events. A cold product is one that nobody chose before the test event. */
export interface MethodQuality {
  overall: RankingQuality;
  /** Events on products that the user interacted with before. */
  revisit: RankingQuality;
  /** Events on products new to the user. */
  first: RankingQuality;
  /** Events of users with fewer than {@link minKnownUserChoices} earlier choices. */
  newUsers: RankingQuality;
  /** Events on cold products. */
  newProducts: RankingQuality;
  /** `overall` and `first`, with cold products excluded from the candidates. */
  overallWithoutCold: RankingQuality;
  firstWithoutCold: RankingQuality;
}

/** The result of an evaluation. */
export interface Evaluation {
  dataset: string;
  seeds: number[];
  methods: Record<string, MethodQuality>;
  /** Quality by how new users and products are, by slice and method; slices without an event are absent. */
  slices: Record<string, SliceQuality>;
  /** Gain of the pipeline over each method on the same events. */
  gains: Record<string, NdcgGain>;
  /** Share of the events whose product was among the first k candidates, by k. */
  recall: Record<string, number>;
  /** Products in the pipeline's first ten: their share of the catalog, and the Gini coefficient of their counts. */
  shown: { coverage: number; gini: number };
  /** Mean milliseconds by pipeline stage. */
  timing: Record<string, number>;
}

/** From this number of choices a user no longer counts as new. */
const minKnownUserChoices = 5;

/** Summarizes the ranks of test events. `products` is the number of products in the catalog. */
export function summarizeEvaluation(
  dataset: string,
  products: number,
  seeds: number[],
  { events, eventsRecalledAt, timesShown, stageMilliseconds, requests }: TestRanks,
): Evaluation {
  const names = Object.keys(events[0]?.ranks ?? {});
  const userIds = events.map((each) => each.userId);
  return {
    dataset,
    seeds,
    methods: Object.fromEntries(names.map((name) => [name, methodQuality(name, events)])),
    slices: qualityBySlice(events),
    gains: Object.fromEntries(
      names
        .filter((name) => name !== "pipeline")
        .map((name) => [
          name,
          ndcgGain(
            events.map((each) => each.ranks.pipeline),
            events.map((each) => each.ranks[name]),
            userIds,
          ),
        ]),
    ),
    recall: Object.fromEntries(
      Object.entries(eventsRecalledAt).map(([k, count]) => [k, count / Math.max(1, events.length)]),
    ),
    shown: { coverage: timesShown.size / products, gini: gini([...timesShown.values()], products) },
    timing: Object.fromEntries(
      Object.entries(stageMilliseconds).map(([stage, ms]) => [stage, ms / Math.max(1, requests)]),
    ),
  };
}

function methodQuality(name: string, events: readonly RankedEvent[]): MethodQuality {
  const slice = (
    select: (each: RankedEvent) => boolean,
    ranks: "ranks" | "ranksWithoutCold" = "ranks",
  ): RankingQuality => {
    const selected = events.filter(select);
    return rankingQuality(
      selected.map((each) => each[ranks][name]),
      selected.map((each) => each.userId),
    );
  };
  const first = (each: RankedEvent): boolean => !each.revisit;
  return {
    overall: slice(() => true),
    revisit: slice((each) => each.revisit),
    first: slice(first),
    newUsers: slice((each) => each.priorChoices < minKnownUserChoices),
    newProducts: slice((each) => each.cold),
    overallWithoutCold: slice(() => true, "ranksWithoutCold"),
    firstWithoutCold: slice(first, "ranksWithoutCold"),
  };
}
