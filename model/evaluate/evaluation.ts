import type { Answers, Asked } from "./evaluate.ts";
import { type Gain, gain, gini, type Quality, quality } from "./metrics.ts";

/** Quality of a method by slice. "Cold" products are those that nobody had chosen before the test event. */
export interface MethodQuality {
  overall: Quality;
  revisit: Quality;
  first: Quality;
  /** People of whom fewer than five choices were known. */
  newUsers: Quality;
  /** Events on cold products. */
  newProducts: Quality;
  overallWithoutCold: Quality;
  firstWithoutCold: Quality;
}

/** What an evaluation found. */
export interface Evaluation {
  dataset: string;
  seeds: number[];
  methods: Record<string, MethodQuality>;
  /** What the pipeline gains over each method on the same events. */
  gains: Record<string, Gain>;
  /** Share of the events whose product was among the first k candidates. */
  recall: Record<string, number>;
  /** Of what the pipeline showed first (10): share of the catalogue, and Gini coefficient of how often. */
  shown: { coverage: number; gini: number };
  /** Mean milliseconds of a stage. */
  timing: Record<string, number>;
}

const fewChoices = 5;

/** Sums up what was seen. `products` is how many there are in the catalogue. */
export function evaluationOf(
  dataset: string,
  products: number,
  seeds: number[],
  { asked, recalled, shown, milliseconds, questions }: Answers,
): Evaluation {
  const names = Object.keys(asked[0]?.ranks ?? {});
  const people = asked.map((each) => each.person);
  return {
    dataset,
    seeds,
    methods: Object.fromEntries(names.map((name) => [name, methodQuality(name, asked)])),
    gains: Object.fromEntries(
      names
        .filter((name) => name !== "pipeline")
        .map((name) => [
          name,
          gain(
            asked.map((each) => each.ranks.pipeline),
            asked.map((each) => each.ranks[name]),
            people,
          ),
        ]),
    ),
    recall: Object.fromEntries(
      Object.entries(recalled).map(([k, count]) => [k, count / Math.max(1, asked.length)]),
    ),
    shown: { coverage: shown.size / products, gini: gini([...shown.values()], products) },
    timing: Object.fromEntries(
      Object.entries(milliseconds).map(([stage, ms]) => [stage, ms / Math.max(1, questions)]),
    ),
  };
}

function methodQuality(name: string, asked: readonly Asked[]): MethodQuality {
  const of = (keep: (each: Asked) => boolean, which: "ranks" | "ranksWithoutCold" = "ranks"): Quality => {
    const kept = asked.filter(keep);
    return quality(
      kept.map((each) => each[which][name]),
      kept.map((each) => each.person),
    );
  };
  const first = (each: Asked): boolean => !each.revisit;
  return {
    overall: of(() => true),
    revisit: of((each) => each.revisit),
    first: of(first),
    newUsers: of((each) => each.known < fewChoices),
    newProducts: of((each) => each.cold),
    overallWithoutCold: of(() => true, "ranksWithoutCold"),
    firstWithoutCold: of(first, "ranksWithoutCold"),
  };
}
