import type { FeatureShape } from "../features/batch.ts";
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
  const first = dense + attention + embedding;
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

/** Inputs as an interpreter's tensors: dense [n, D], pair [n * H, P], category [n], historyCategory [H]. */
export interface NetworkInputs<T> {
  dense: T;
  pair: T;
  category: T;
  historyCategory: T;
}

/**
 * The network: dense features standardised inside the graph; attention of the candidate over the recent events by
 * their pair features and the likeness of their categories (after Zhou et al., "Deep Interest Network", KDD 2018);
 * two hidden layers, and past them the same inputs straight to the heads (wide and deep: Cheng et al., DLRS 2016).
 */
export function network<T>(
  ops: Ops<T>,
  inputs: NetworkInputs<T>,
  history: number,
): { engage: T; purchase: T } {
  const p = (name: string): T => ops.parameter(name);
  const layer = (x: T, name: string): T => ops.linear(x, p(`${name}.w`), p(`${name}.b`));
  const dense = ops.standardize(inputs.dense, p("mean"), p("scale"));
  const candidate = ops.gather(p("categories"), inputs.category);
  const events = ops.gather(p("categories"), inputs.historyCategory);
  const pairs = ops.relu(layer(inputs.pair, "pair"));
  const logits = ops.add(ops.fold(layer(pairs, "attend"), history), ops.similarity(candidate, events));
  const weights = ops.maskedSoftmax(logits, ops.column(inputs.pair, 0, history));
  const first = ops.concat([dense, ops.pool(weights, pairs), candidate]);
  const deep = ops.relu(layer(ops.relu(layer(first, "hidden1")), "hidden2"));
  const last = ops.concat([deep, first]);
  return { engage: layer(last, "engage"), purchase: layer(last, "purchase") };
}
