import type { EventType } from "../../../shared/contracts/event.ts";
import { featureShape } from "../../features/compute.ts";
import { packFeatures } from "../../features/packed.ts";
import type { Parameters } from "../../network/parameters.ts";
import { randomBatch } from "../../onnx/manifest.ts";
import { finalScores } from "../../pipeline/recommend.ts";
import { Random } from "../../train/random.ts";
import { scoreByTape } from "../../train/train.ts";

/** What the log of a made-up week holds. */
export interface LogOptions {
  examples: number;
  users: number;
  seed: number;
  /** Seconds since the epoch: the newest example. */
  until: number;
  /** How strongly people now care for the discount, which the serving model does not know. */
  shift: number;
  rows?: number;
}

/** Chosen or not: by what serves, by the new taste, and by chance. */
export type Choose = (utility: number, random: Random) => EventType | null;

/** Some look, fewer buy; about one in six of what is shown is engaged with. */
export const asPeopleDo: Choose = (utility, random) => {
  const wish = utility + 0.7 * random.normal() - 1.6;
  return wish > 0.9 ? "purchase" : wish > 0 ? "click" : null;
};

const base64 = (bytes: Uint8Array): string => {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
};

/** Lines of a training log: people who follow the serving model's taste and a new one, shown what it ordered. */
export function syntheticLog(
  parameters: Parameters,
  { examples, users: people, seed, until, shift, rows = 15 }: LogOptions,
  choose: Choose = asPeopleDo,
): Record<string, unknown>[] {
  const random = new Random(seed);
  const width = featureShape.dense.length;
  const discount = featureShape.dense.indexOf("discount");
  const indices = Array.from({ length: rows }, (_, i) => i);
  return Array.from({ length: examples }, (_, n) => {
    const batch = randomBatch(featureShape, rows, seed * 100_000 + n);
    const values = finalScores(scoreByTape(featureShape, parameters, batch));
    const mean = values.reduce((sum, each) => sum + each, 0) / rows;
    const deviation = Math.sqrt(values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / rows) || 1;
    const order = [...indices].sort((a, b) => values[b] - values[a]);
    const shown = new Map(order.slice(0, 10).map((index, i) => [index, i + 1]));
    const pseudonym = random.below(people).toString(16).padStart(4, "0").repeat(16);
    const logged = indices.map((index) => {
      const utility =
        0.6 * ((values[index] - mean) / deviation) + shift * batch.dense[index * width + discount];
      const position = shown.get(index) ?? 0;
      const propensity = position > 0 ? 1 : 0;
      const outcome = position > 0 ? choose(utility, random) : null;
      const category = `c${batch.category[index] % 4}`;
      return { productId: `p${n}-${index}`, category, position, propensity, score: values[index], outcome };
    });
    return {
      kind: "example",
      pseudonym,
      generation: 0,
      recommendationId: `r${seed}-${n}`,
      time: until - (examples - 1 - n) * 60,
      modelVersion: "bundled",
      featureHash: featureShape.hash,
      variant: "default",
      country: n % 3 === 0 ? "NO" : "PE",
      weight: 1,
      candidates: 500,
      rows: logged,
      features: base64(packFeatures(featureShape, batch, indices)),
    };
  });
}
