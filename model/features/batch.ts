/**
 * The shape of the model's inputs, shared by everything that fills, trains on, exports or serves them.
 * `hash` names exactly this specification: serving refuses a model that was trained for another.
 */
export interface FeatureShape {
  /** Dense features of a candidate, in order. */
  dense: readonly string[];
  /** Features of the pair (candidate, recent event), in order. */
  pair: readonly string[];
  /** Features of a recent event by itself, in order: among them `present`, 1 where there is one, and `just_now`. */
  event: readonly string[];
  /** Recent events that attention sees. */
  history: number;
  /** Buckets of hashed categories; 0 is "none". */
  categories: number;
  hash: string;
  /** Parts that the network is built without, to see what they are worth; none where it serves. */
  without?: readonly NetworkPart[];
}

/** A part of the network that can be left out. */
export type NetworkPart = "attention" | "embeddings" | "deep" | "wide";

/**
 * The inputs of one ranking: `count` candidates of one person at one moment. They are the ONNX inputs by
 * the same names: dense [count, D], pair [count, H, P], event [H, E], category [count], historyCategory [H], moment [2] (int32).
 */
export interface FeatureBatch {
  count: number;
  dense: Float32Array;
  pair: Float32Array;
  event: Float32Array;
  category: Int32Array;
  historyCategory: Int32Array;
  /** Local hour (0-23), and 24 + weekday (0 Monday - 6 Sunday). */
  moment: Int32Array;
}

/** Entries of a moment, and how many there are to choose from. */
export const momentParts = 2;
export const moments = 24 + 7;

/** The outputs: logits of engagement (any interaction) and purchase, one each for a candidate. */
export interface Scores {
  engage: Float32Array;
  purchase: Float32Array;
}

/** One list to train on: a batch of sampled candidates and what came of each. */
export interface TrainingList {
  batch: FeatureBatch;
  /** 1 where the candidate was engaged with; `purchase` 1 where it was bought. */
  engage: Float32Array;
  purchase: Float32Array;
  /** Candidates that each row stands for: more than one where the list is a sample. */
  standsFor: Float32Array;
  /** How much each row counts in the pointwise loss: 0 where nobody saw it, so nobody judged it. Absent: 1 for each. */
  judged?: Float32Array;
  /** Weight of the list in the loss. */
  weight: number;
}

/** Room for `count` candidates, zeroed. */
export const emptyBatch = (shape: FeatureShape, count: number): FeatureBatch => ({
  count,
  dense: new Float32Array(count * shape.dense.length),
  pair: new Float32Array(count * shape.history * shape.pair.length),
  event: new Float32Array(shape.history * shape.event.length),
  category: new Int32Array(count),
  historyCategory: new Int32Array(shape.history),
  moment: new Int32Array(momentParts),
});
