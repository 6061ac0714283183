/**
 * The shape of the model's inputs. Feature computation, training, export and serving share it. `hash` identifies the
 * specification: serving refuses a model that was trained for another one.
 */
export interface FeatureShape {
  /** Dense features of a candidate, in order. */
  dense: readonly string[];
  /** Features of the pair (candidate, recent event), in order. */
  pair: readonly string[];
  /** Features of a recent event by itself, in order; `present` is 1 for an event and 0 for padding. */
  event: readonly string[];
  /** Recent events that attention reads. */
  history: number;
  /** Buckets of hashed categories; 0 stands for no category. */
  categories: number;
  hash: string;
  /** Parts of the network that an ablation leaves out; absent when serving. */
  without?: readonly NetworkPart[];
}

/** A part of the network that an ablation can leave out. */
export type NetworkPart = "attention" | "embeddings";

/**
 * The inputs of one ranking: `count` candidates of one user at one moment. They are the ONNX inputs of the same names:
 * dense [count, D], pair [count, H, P], event [H, E], category [count], historyCategory [H], moment [2] (int32).
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

/** Entries of {@link FeatureBatch.moment}: hour and weekday. */
export const momentLength = 2;
/** Values that an entry of {@link FeatureBatch.moment} can have: 24 hours and 7 weekdays. */
export const momentBuckets = 24 + 7;

/** The outputs of a ranker: for each candidate, logits of engagement (any interaction) and of purchase. */
export interface Scores {
  engage: Float32Array;
  purchase: Float32Array;
}

/** A list of candidates to train on, with their outcomes. */
export interface TrainingList {
  batch: FeatureBatch;
  /** 1 for a candidate that the user engaged with; `purchase` is 1 for one that they bought. */
  engage: Float32Array;
  purchase: Float32Array;
  /** Candidates that each row represents: more than one if the list is a sample. */
  candidatesRepresented: Float32Array;
  /** Weight of each row in the pointwise loss: 0 for a candidate that the user did not see. Absent: 1 for each. */
  pointwiseWeights?: Float32Array;
  /** Probability that the user looked at each row, relative to the first position. Absent: 1 for each. */
  examined?: Float32Array;
  /** Weight of the list in the loss. */
  weight: number;
}

/** Allocates a batch of zeros for `count` candidates. */
export const emptyBatch = (shape: FeatureShape, count: number): FeatureBatch => ({
  count,
  dense: new Float32Array(count * shape.dense.length),
  pair: new Float32Array(count * shape.history * shape.pair.length),
  event: new Float32Array(shape.history * shape.event.length),
  category: new Int32Array(count),
  historyCategory: new Int32Array(shape.history),
  moment: new Int32Array(momentLength),
});
