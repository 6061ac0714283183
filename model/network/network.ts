import { type FeatureShape, momentParts, moments, type NetworkPart } from "../features/batch.ts";
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
/** Engagement, and purchase. */
const heads = 2;

/** Which parts the network of a shape has. */
const partsOf = ({ without = [] }: FeatureShape): Record<NetworkPart, boolean> => ({
  attention: !without.includes("attention"),
  embeddings: !without.includes("embeddings"),
  deep: !without.includes("deep"),
  wide: !without.includes("wide"),
});

/** All parameters for a feature shape, less those of the parts that it does without. */
export function parameterSpecs(shape: FeatureShape): ParameterSpec[] {
  const dense = shape.dense.length;
  const has = partsOf(shape);
  const first =
    dense + (has.attention ? attention : 0) + (has.embeddings ? embedding + shape.history + momentParts : 0);
  const only = (wanted: boolean, ...specs: ParameterSpec[]): ParameterSpec[] => (wanted ? specs : []);
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
      matrix("moments", moments, embedding, "small"),
    ),
    ...only(
      has.attention,
      matrix("pair.w", shape.pair.length, attention, "he"),
      matrix("event.w", shape.event.length, attention, "he"),
      matrix("event.b", 1, attention, 0),
      matrix("attend.w", attention, 1, "small"),
      matrix("attend.b", 1, 1, 0),
    ),
    ...only(
      has.deep,
      matrix("hidden1.w", first, hidden[0], "he"),
      matrix("hidden1.b", 1, hidden[0], 0),
      matrix("hidden2.w", hidden[0], hidden[1], "he"),
      matrix("hidden2.b", 1, hidden[1], 0),
      matrix("heads.deep.w", hidden[1], heads, "small"),
    ),
    ...only(has.wide, matrix("heads.wide.w", first, heads, "small")),
    matrix("heads.b", 1, heads, 0),
  ];
}

/**
 * Inputs as an interpreter's tensors: dense [n, D], pair [n * H, P], event [H, E], category [n], historyCategory [H],
 * moment [2].
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
 * The network: dense features standardised inside the graph; attention of the candidate over the recent events by
 * their pair features and by how its category follows theirs (after Zhou et al., "Deep Interest Network", KDD 2018); how
 * it follows each of them, as far as that belongs to the moment, and suits the hour and the weekday, as products of embeddings (factorised transitions: Rendle
 * et al., "Factorizing Personalized Markov Chains", WWW 2010);
 * two hidden layers, and past them the same inputs straight to the heads (wide and deep: Cheng et al., DLRS 2016).
 */
export function network<T>(
  ops: Ops<T>,
  inputs: NetworkInputs<T>,
  shape: FeatureShape,
): { engage: T; purchase: T } {
  const { history, event } = shape;
  const has = partsOf(shape);
  const p = (name: string): T => ops.parameter(name);
  const layer = (x: T, name: string): T => ops.linear(x, p(`${name}.w`), p(`${name}.b`));
  const ofEvent = (name: string): T => ops.column(inputs.event, event.indexOf(name), history);
  const embedded = (name: string, index: T): T => ops.gather(p(name), index);
  const candidate = has.embeddings ? embedded("categories", inputs.category) : null;
  const follows =
    candidate === null ? null : ops.similarity(candidate, embedded("before", inputs.historyCategory));
  const attended = (): T => {
    // What an event says of itself is the same for every candidate: it is computed once, and added to each one's pairs.
    const wide = history * attention;
    const ofPairs = ops.fold(ops.linear(inputs.pair, p("pair.w")), wide);
    const pairs = ops.fold(
      ops.relu(ops.add(ofPairs, ops.fold(layer(inputs.event, "event"), wide))),
      attention,
    );
    const logits = ops.fold(layer(pairs, "attend"), history);
    const weights = ops.maskedSoftmax(
      follows === null ? logits : ops.add(logits, follows),
      ofEvent("present"),
    );
    return ops.pool(weights, pairs);
  };
  const first = ops.concat([
    ops.standardize(inputs.dense, p("mean"), p("scale")),
    ...(has.attention ? [attended()] : []),
    ...(candidate !== null && follows !== null
      ? [
          candidate,
          ops.multiply(follows, ofEvent("just_now")),
          ops.similarity(candidate, embedded("moments", inputs.moment)),
        ]
      : []),
  ]);
  const hidden = has.deep ? ops.relu(layer(ops.relu(layer(first, "hidden1")), "hidden2")) : null;
  const deep = hidden === null ? null : ops.linear(hidden, p("heads.deep.w"), p("heads.b"));
  const wide = has.wide
    ? ops.linear(first, p("heads.wide.w"), deep === null ? p("heads.b") : undefined)
    : null;
  const both = deep !== null && wide !== null ? ops.add(deep, wide) : (deep ?? wide);
  if (both === null) throw new Error("a network needs its deep or its wide part");
  return { engage: ops.column(both, 0, 1), purchase: ops.column(both, 1, 1) };
}
