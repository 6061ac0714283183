import { featureShape } from "../../model/features/compute-features.ts";
import type { Parameters } from "../../model/network/parameters.ts";
import {
  Corrections,
  type LoggedExample,
  readLine,
  trainingListOf,
} from "../../model/recalibrate/logged-examples.ts";
import { trainPart } from "../../model/recalibrate/train-part.ts";
import { initialLearnerState, Learner } from "../../model/train/learner.ts";
import type { TestStack } from "../support/test-stack.ts";
import { trainingLines } from "./training-lines.ts";

const epochs = 6;
const batchSize = 16;

/**
 * Trains a reference model on all examples that applications logged since a time (seconds since the epoch), with no part held
 * out: the best that a recalibration could learn by now. Training starts from the given weights and takes twice as many epochs
 * as a recalibration. Returns the weights and the number of lists.
 */
export async function trainReferenceModel(
  stack: TestStack,
  applications: readonly string[],
  since: number,
  from: Parameters,
): Promise<{ parameters: Parameters; lists: number }> {
  const log = await stack.binding("trainer", "TRAINING_LOG");
  const examples = new Map<number, LoggedExample>();
  const corrections = new Corrections();
  for (const application of applications)
    for await (const lines of trainingLines(log, application)) {
      for (const line of lines) {
        const parsed = readLine(featureShape, line);
        if (parsed.kind === "correction") corrections.add(parsed.correction);
        if (parsed.kind === "example" && parsed.example.time >= since)
          examples.set(parsed.example.id, parsed.example);
      }
    }
  const lists = [...examples.values()].flatMap(
    (example) => trainingListOf(featureShape, example, corrections) ?? [],
  );
  const steps = epochs * Math.ceil(lists.length / batchSize);
  const decay = 1e-2;
  const schedule = { seed: 1, epochs, batch: batchSize, rate: 1e-3, decay, steps };
  const learner = new Learner(featureShape, initialLearnerState(from), decay);
  for (let epoch = 0; epoch < epochs; epoch++)
    await trainPart(learner, lists, schedule, { epoch, part: 0 }, async () => undefined);
  return { parameters: learner.state.average, lists: lists.length };
}
