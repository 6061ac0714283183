import type { DriftDay } from "../../shared/contracts/model.ts";
import type { FeatureShape } from "../features/batch.ts";
import { unpackFeatures } from "../features/packed.ts";
import { purchaseWorth } from "../pipeline/recommend.ts";
import { type Corrections, engaged, type LoggedExample } from "../recalibrate/logged-examples.ts";
import { type Reference, referenceOf, sharesOf, stabilityIndex, type Weighted } from "./histogram.ts";

/** How the features and scores of a version were distributed on its first day: by name of the feature, and `score`. */
export type References = Record<string, Reference>;

/** Positions that are told apart. */
const positions = 20;
const scoreName = "score";
const bins = 10;

/** What was shown of a version on a day: a value a row in each list, in the same order. */
interface Shown {
  score: number[];
  /** What showing it was worth: an engagement 1, a purchase `purchaseWorth` more. */
  value: number[];
  position: number[];
  wanted: boolean[];
  weights: number[];
  features: Map<string, number[]>;
}

function shownIn(shape: FeatureShape, examples: readonly LoggedExample[], corrections: Corrections): Shown {
  const shown: Shown = {
    ...{ score: [], value: [], position: [], wanted: [], weights: [] },
    features: new Map(shape.dense.map((name) => [name, []])),
  };
  const lists = shape.dense.map((name) => shown.features.get(name) as number[]);
  for (const example of examples) {
    const batch = unpackFeatures(shape, example.features);
    if (batch === null) continue;
    example.rows.forEach(({ position, score, product, outcome }, row) => {
      if (position === 0) return;
      const came = corrections.outcomeOf(example.id, product, outcome);
      shown.score.push(score);
      shown.value.push((engaged(came) ? 1 : 0) + (came === "purchase" ? purchaseWorth : 0));
      shown.position.push(position);
      shown.wanted.push(came === "click" || came === "cart" || came === "purchase");
      shown.weights.push(example.weight);
      lists.forEach((list, i) => void list.push(batch.dense[row * shape.dense.length + i]));
    });
  }
  return shown;
}

/** Mean distance of what was said from what came, rows in ten parts of about equal weight by what was said. */
function calibrationOf({ score, value, weights }: Shown): DriftDay["calibration"] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const order = score.map((_, i) => i).sort((a, b) => score[a] - score[b]);
  const sums = { said: 0, came: 0, error: 0 };
  let part = { said: 0, came: 0, mass: 0 };
  order.forEach((i, at) => {
    part.said += weights[i] * score[i];
    part.came += weights[i] * value[i];
    part.mass += weights[i];
    if (part.mass < total / bins && at < order.length - 1) return;
    sums.said += part.said;
    sums.came += part.came;
    sums.error += Math.abs(part.said - part.came);
    part = { said: 0, came: 0, mass: 0 };
  });
  return { said: sums.said / total, came: sums.came / total, error: sums.error / total };
}

/** The value below which a share of the weight lies. */
function quantile({ values, weights }: Weighted, share: number): number {
  const order = values.map((_, i) => i).sort((a, b) => values[a] - values[b]);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let mass = 0;
  for (const i of order) {
    mass += weights[i];
    if (mass >= share * total) return values[i];
  }
  return values[order[order.length - 1]] ?? Number.NaN;
}

/**
 * What a day's examples of one version say, against the version's first day; without `references` this is that day. Null where
 * nothing was shown. Rows count by the weight of their example, so that impressions that were left out are made up for.
 */
export function driftOf(
  shape: FeatureShape,
  examples: readonly LoggedExample[],
  corrections: Corrections,
  references: References | null,
): { figures: Omit<DriftDay, "day">; references: References } | null {
  const shown = shownIn(shape, examples, corrections);
  const { weights, score } = shown;
  if (score.length === 0) return null;
  const all: [string, number[]][] = [...shown.features, [scoreName, score]];
  const first =
    references ?? Object.fromEntries(all.map(([name, values]) => [name, referenceOf({ values, weights })]));
  const stability = all.flatMap(([name, values]): [string, number][] => {
    const reference = first[name];
    return reference
      ? [[name, stabilityIndex(reference.shares, sharesOf(reference.edges, { values, weights }))]]
      : [];
  });
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const byPosition = Array.from({ length: positions }, (_, i) => {
    let seen = 0;
    let wanted = 0;
    shown.position.forEach((position, row) => {
      if (position !== i + 1) return;
      seen += weights[row];
      if (shown.wanted[row]) wanted += weights[row];
    });
    return { position: i + 1, shown: seen, rate: seen === 0 ? 0 : wanted / seen };
  });
  const scores: Weighted = { values: score, weights };
  return {
    references: first,
    figures: {
      examples: examples.length,
      stability: Object.fromEntries(stability.filter(([name]) => name !== scoreName)),
      score: {
        mean: score.reduce((sum, each, i) => sum + each * weights[i], 0) / total,
        p10: quantile(scores, 0.1),
        p50: quantile(scores, 0.5),
        p90: quantile(scores, 0.9),
        stability: Object.fromEntries(stability)[scoreName] ?? 0,
      },
      calibration: calibrationOf(shown),
      positions: byPosition.filter((each) => each.shown > 0),
    },
  };
}
