import type { EventType } from "../../../shared/contracts/event.ts";
import { drawOrder, type Exploration, explore } from "../../experiments/exploration.ts";
import { featureShape } from "../../features/compute-features.ts";
import { packFeatures } from "../../features/pack-features.ts";
import type { Parameters } from "../../network/parameters.ts";
import { randomBatch } from "../../onnx/random-batch.ts";
import { finalScores } from "../../pipeline/final-scores.ts";
import { examinationOf } from "../../simulate/position-bias.ts";
import { Random } from "../../train/random.ts";
import { scoreByTape } from "../../train/train.ts";

/** Options of a synthetic training log with one example per minute. */
export interface SyntheticLogOptions {
  examples: number;
  users: number;
  seed: number;
  /** Time of the newest example, in seconds since the epoch. */
  until: number;
  /** Additional utility per unit of the discount feature, which the serving model has not learned. */
  shift: number;
  rows?: number;
  /**
   * Exploration of the last position. If present, the log names the products in play, and products of the same score attract
   * alike.
   */
  exploration?: Exploration;
  /** Share of the lists whose order is drawn among all rows, at temperature 1; default: 0. The log names the ranks then. */
  drawnShare?: number;
  /** Users look at position k with the probability k ** -bias; default: 0.5. */
  bias?: number;
}

/** Returns the outcome of a shown row with the given utility. */
export type OutcomeModel = (utility: number, random: Random) => EventType | null;

/** Clicks and, at higher utility, purchases: about one in six rows that are looked at gets an engagement. */
export const outcomeByUtility: OutcomeModel = (utility, random) => {
  const noisyUtility = utility + 0.7 * random.normal() - 1.6;
  return noisyUtility > 0.9 ? "purchase" : noisyUtility > 0 ? "click" : null;
};

const base64 = (bytes: Uint8Array): string => {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
};

/** Lists by which {@link standardScores} standardizes scores. */
const standardLists = 50;

/** Returns a function that standardizes the logarithm of a model's scores of random products. */
function standardScores(parameters: Parameters, rows: number, seed: number): (score: number) => number {
  const logs = Array.from({ length: standardLists }, (_, n) => [
    ...finalScores(
      scoreByTape(featureShape, parameters, randomBatch(featureShape, rows, seed * 100_000 + n)),
    ),
  ])
    .flat()
    .map(Math.log);
  const mean = logs.reduce((sum, each) => sum + each, 0) / logs.length;
  const deviation = Math.sqrt(logs.reduce((sum, each) => sum + (each - mean) ** 2, 0) / logs.length);
  return (score) => (Math.log(score) - mean) / deviation;
}

/**
 * Returns the lines of a training log. Each list shows the ten best rows by the given weights; utilities follow the
 * weights' scores plus `shift` times the discount.
 */
export function syntheticLog(
  parameters: Parameters,
  {
    examples,
    users,
    seed,
    until,
    shift,
    rows = 15,
    exploration,
    drawnShare = 0,
    bias = 0.5,
  }: SyntheticLogOptions,
  outcomeModel: OutcomeModel = outcomeByUtility,
): Record<string, unknown>[] {
  const random = new Random(seed);
  const width = featureShape.dense.length;
  const discount = featureShape.dense.indexOf("discount");
  const indices = Array.from({ length: rows }, (_, i) => i);
  const standard = exploration && standardScores(parameters, rows, seed);
  return Array.from({ length: examples }, (_, n) => {
    const batch = randomBatch(featureShape, rows, seed * 100_000 + n);
    const values = finalScores(scoreByTape(featureShape, parameters, batch));
    const mean = values.reduce((sum, each) => sum + each, 0) / rows;
    const deviation = Math.sqrt(values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / rows) || 1;
    const order = [...indices].sort((a, b) => values[b] - values[a]);
    const isDrawn = drawnShare > 0 && random.next() < drawnShare;
    const { inPlay: explored, rankTemperature } = isDrawn
      ? drawOrder(order, 10, { depth: rows - 10 }, 1, () => random.next())
      : { inPlay: explore(order, 10, exploration ?? { rate: 0, depth: 0 }, () => random.next()) };
    const inPlay = new Map(explored.map((each) => [each.item, each]));
    const pseudonym = random.below(users).toString(16).padStart(4, "0").repeat(16);
    const logged = indices.map((index) => {
      const byScore = standard
        ? 0.9 + 0.3 * standard(values[index])
        : 0.6 * ((values[index] - mean) / deviation);
      const utility = byScore + shift * batch.dense[index * width + discount];
      const { position = 0, propensity = 0, rank = 0 } = inPlay.get(index) ?? {};
      const isExamined = position > 0 && random.next() < examinationOf(position, bias);
      const outcome = isExamined ? outcomeModel(utility, random) : null;
      const category = `c${batch.category[index] % 4}`;
      const score = values[index];
      const known = exploration || drawnShare > 0 ? { rank, listScore: score, squares: [] } : {};
      return { productId: `p${n}-${index}`, category, position, propensity, score, outcome, ...known };
    });
    return {
      kind: "example",
      pseudonym,
      generation: 0,
      recommendation: `r${seed}-${n}`,
      time: until - (examples - 1 - n) * 60,
      modelVersion: "bundled",
      featureHash: featureShape.hash,
      variant: "default",
      country: n % 3 === 0 ? "NO" : "PE",
      weight: 1,
      ...(rankTemperature === undefined ? {} : { rankTemperature }),
      candidates: exploration ? rows : 500,
      rows: logged,
      features: base64(packFeatures(featureShape, batch, indices)),
    };
  });
}
