import { type FeatureShape, momentParts, moments } from "../features/batch.ts";
import type { Ops } from "./ops.ts";

/** A matrix of the network, and how it begins. */
export interface ParameterSpec {
  name: string;
  rows: number;
  columns: number;
  /** `he`: normal with variance 2 / rows (He et al., ICCV 2015); `small`: normal of 0.05; else constant. */
  initial: "he" | "small" | 0 | 1;
  /** Statistics of the inputs are set, not trained. */
  trained: boolean;
}

/** Sizes of the hidden parts, chosen on validation data. */
const attention = 16;
const embedding = 8;
const hidden = [64, 32] as const;

/** All parameters for a feature shape. */
export function parameterSpecs(shape: FeatureShape): ParameterSpec[] {
  const dense = shape.dense.length;
  const first = dense + attention + embedding + shape.history + momentParts;
  const matrix = (
    name: string,
    rows: number,
    columns: number,
    initial: ParameterSpec["initial"],
  ): ParameterSpec => ({
    name,
    rows,
    columns,
    initial,
    trained: true,
  });
  return [
    { name: "mean", rows: 1, columns: dense, initial: 0, trained: false },
    { name: "scale", rows: 1, columns: dense, initial: 1, trained: false },
    matrix("categories", shape.categories, embedding, "small"),
    matrix("before", shape.categories, embedding, "small"),
    matrix("moments", moments, embedding, "small"),
    matrix("pair.w", shape.pair.length, attention, "he"),
    matrix("pair.b", 1, attention, 0),
    matrix("attend.w", attention, 1, "small"),
    matrix("attend.b", 1, 1, 0),
    matrix("hidden1.w", first, hidden[0], "he"),
    matrix("hidden1.b", 1, hidden[0], 0),
    matrix("hidden2.w", hidden[0], hidden[1], "he"),
    matrix("hidden2.b", 1, hidden[1], 0),
    matrix("engage.w", hidden[1] + first, 1, "small"),
    matrix("engage.b", 1, 1, 0),
    matrix("purchase.w", hidden[1] + first, 1, "small"),
    matrix("purchase.b", 1, 1, 0),
  ];
}

/** Inputs as an interpreter's tensors: dense [n, D], pair [n * H, P], category [n], historyCategory [H], moment [2]. */
export interface NetworkInputs<T> {
  dense: T;
  pair: T;
  category: T;
  historyCategory: T;
  moment: T;
}

/**
 * The network: dense features standardised inside the graph; attention of the candidate over the recent events by
 * their pair features and by how its category follows theirs (after Zhou et al., "Deep Interest Network", KDD 2018); how
 * it follows each of them, as far as that belongs to the moment, and suits the hour and the weekday, as products of embeddings (factorised transitions: Rendle
 * et al., "Factorizing Personalized Markov Chains", WWW 2010);
 * two hidden layers, and past them the same inputs straight to the heads (wide and deep: Cheng et al., DLRS 2016).
 */
export function network<T>(
  ops: Ops<T>,
  inputs: NetworkInputs<T>,
  { history, pair }: Pick<FeatureShape, "history" | "pair">,
): { engage: T; purchase: T } {
  const p = (name: string): T => ops.parameter(name);
  const layer = (x: T, name: string): T => ops.linear(x, p(`${name}.w`), p(`${name}.b`));
  const dense = ops.standardize(inputs.dense, p("mean"), p("scale"));
  const candidate = ops.gather(p("categories"), inputs.category);
  const follows = ops.similarity(candidate, ops.gather(p("before"), inputs.historyCategory));
  const suits = ops.similarity(candidate, ops.gather(p("moments"), inputs.moment));
  const pairs = ops.relu(layer(inputs.pair, "pair"));
  const logits = ops.add(ops.fold(layer(pairs, "attend"), history), follows);
  const recency = ops.column(inputs.pair, Math.max(0, pair.indexOf("just_now")), history);
  const weights = ops.maskedSoftmax(logits, ops.column(inputs.pair, 0, history));
  const first = ops.concat([
    dense,
    ops.pool(weights, pairs),
    candidate,
    ops.multiply(follows, recency),
    suits,
  ]);
  const deep = ops.relu(layer(ops.relu(layer(first, "hidden1")), "hidden2"));
  const last = ops.concat([deep, first]);
  return { engage: layer(last, "engage"), purchase: layer(last, "purchase") };
}
