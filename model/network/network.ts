import { type FeatureShape, momentBuckets, momentLength, type NetworkPart } from "../features/batch.ts";
import type { Ops } from "./ops.ts";

/** Shape and initial values of one parameter matrix. */
export interface ParameterSpec {
  name: string;
  rows: number;
  columns: number;
  /**
   * `he`: normal with variance 2 / rows (He et al., ICCV 2015); `small`: normal with standard deviation 0.05; a number:
   * that constant.
   */
  initial: "he" | "small" | 0 | 1;
  /** False for the input statistics, which are measured and not trained. */
  trained: boolean;
}

/** Numbers of units, chosen on validation data. */
const attention = 16;
const embedding = 8;
const hidden = [64, 32] as const;
/** Output heads: engagement and purchase. */
const heads = 2;

/** Returns which parts the network of a feature shape has. */
const includedParts = ({ without = [] }: FeatureShape): Record<NetworkPart, boolean> => ({
  attention: !without.includes("attention"),
  embeddings: !without.includes("embeddings"),
});

/** Returns the specs of all parameters for a feature shape, in file order, without those of left-out parts. */
export function parameterSpecs(shape: FeatureShape): ParameterSpec[] {
  const dense = shape.dense.length;
  const has = includedParts(shape);
  const first =
    dense + (has.attention ? attention : 0) + (has.embeddings ? embedding + shape.history + momentLength : 0);
  const only = (included: boolean, ...specs: ParameterSpec[]): ParameterSpec[] => (included ? specs : []);
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
    ...only(
      has.embeddings,
      matrix("categories", shape.categories, embedding, "small"),
      matrix("before", shape.categories, embedding, "small"),
      matrix("moments", momentBuckets, embedding, "small"),
    ),
    ...only(
      has.attention,
      matrix("pair.w", shape.pair.length, attention, "he"),
      matrix("event.w", shape.event.length, attention, "he"),
      matrix("event.b", 1, attention, 0),
      matrix("attend.w", attention, 1, "small"),
      matrix("attend.b", 1, 1, 0),
    ),
    matrix("hidden1.w", first, hidden[0], "he"),
    matrix("hidden1.b", 1, hidden[0], 0),
    matrix("hidden2.w", hidden[0], hidden[1], "he"),
    matrix("hidden2.b", 1, hidden[1], 0),
    matrix("heads.w", hidden[1], heads, "small"),
    matrix("heads.b", 1, heads, 0),
  ];
}

/**
 * The network's inputs as an interpreter's tensors: dense [n, D], pair [n * H, P], event [H, E], category [n],
 * historyCategory [H], moment [2].
 */
export interface NetworkInputs<T> {
  dense: T;
  pair: T;
  event: T;
  category: T;
  historyCategory: T;
  moment: T;
}

/**
 * Builds the network with an interpreter's operations and returns the logits [n, 1] of both heads.
 *
 * - The graph itself standardizes the dense features.
 * - Attention weighs the recent events by their pair features and by category transitions (after Zhou et al., "Deep
 *   Interest Network", KDD 2018).
 * - Products of embeddings model two affinities of the candidate's category: to the categories of very recent events,
 *   and to the hour and weekday (factorized transitions: Rendle et al., "Factorizing Personalized Markov Chains", WWW
 *   2010).
 * - Two hidden layers share these inputs.
 */
export function buildNetwork<T>(
  ops: Ops<T>,
  inputs: NetworkInputs<T>,
  shape: FeatureShape,
): { engage: T; purchase: T } {
  const { history, event } = shape;
  const has = includedParts(shape);
  const p = (name: string): T => ops.parameter(name);
  const layer = (x: T, name: string): T => ops.linear(x, p(`${name}.w`), p(`${name}.b`));
  const eventFeature = (name: string): T => ops.column(inputs.event, event.indexOf(name), history);
  const embedded = (name: string, index: T): T => ops.gather(p(name), index);
  const candidate = has.embeddings ? embedded("categories", inputs.category) : null;
  const transitions =
    candidate === null ? null : ops.similarity(candidate, embedded("before", inputs.historyCategory));
  const attended = (): T => {
    // The event layer is the same for every candidate: the graph computes it once and adds it to each candidate's
    // pairs.
    const flat = history * attention;
    const pairLayer = ops.reshape(ops.linear(inputs.pair, p("pair.w")), flat);
    const pairs = ops.reshape(
      ops.relu(ops.add(pairLayer, ops.reshape(layer(inputs.event, "event"), flat))),
      attention,
    );
    const logits = ops.reshape(layer(pairs, "attend"), history);
    const weights = ops.maskedSoftmax(
      transitions === null ? logits : ops.add(logits, transitions),
      eventFeature("present"),
    );
    return ops.pool(weights, pairs);
  };
  const first = ops.concat([
    ops.standardize(inputs.dense, p("mean"), p("scale")),
    ...(has.attention ? [attended()] : []),
    ...(candidate !== null && transitions !== null
      ? [
          candidate,
          ops.multiply(transitions, eventFeature("just_now")),
          ops.similarity(candidate, embedded("moments", inputs.moment)),
        ]
      : []),
  ]);
  const logits = layer(ops.relu(layer(ops.relu(layer(first, "hidden1")), "hidden2")), "heads");
  return { engage: ops.column(logits, 0, 1), purchase: ops.column(logits, 1, 1) };
}
