import type { Dataset, DatasetEvent } from "./dataset.ts";

/** Part of a dataset on which an evaluation asks. Settings are chosen on `valid`; `test` is asked once, for the model card. */
export const evaluatedParts = ["valid", "test"] as const;
export type EvaluatedPart = (typeof evaluatedParts)[number];

/** Share (0 to 1) of each user's training events, the newest, that a dataset without a validation part holds back. */
const heldBackShare = 0.1;

/**
 * Returns the dataset whose test part is the part to evaluate on. On `valid`, the model learns from the training part alone, and
 * nothing reads the test part. A dataset without a validation part holds back the newest tenth of each user's training events.
 */
export function evaluatedOn(dataset: Dataset, part: EvaluatedPart): Dataset {
  if (part === "test") return dataset;
  const { train, valid } = dataset.valid.length > 0 ? dataset : holdBackNewest(dataset.train);
  return { ...dataset, train, valid: [], test: valid };
}

function holdBackNewest(events: readonly DatasetEvent[]): Pick<Dataset, "train" | "valid"> {
  const left = new Map<string, number>();
  for (const { userId } of events) left.set(userId, (left.get(userId) ?? 0) + 1);
  const heldBack = new Map([...left].map(([userId, count]) => [userId, Math.floor(count * heldBackShare)]));
  const train: DatasetEvent[] = [];
  const valid: DatasetEvent[] = [];
  for (const event of events) {
    const { userId } = event;
    const remaining = left.get(userId) ?? 0;
    (remaining > (heldBack.get(userId) ?? 0) ? train : valid).push(event);
    left.set(userId, remaining - 1);
  }
  return { train, valid };
}
