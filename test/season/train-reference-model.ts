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
import { unpackLines } from "../../shared/training-log/lines.ts";
import type { TestStack } from "../test-stack.ts";
import { listLogKeys } from "./simulated-application.ts";

const epochs = 6;
const batch = 16;

/**
 * A model of all that was logged of some applications since a time (seconds), with nothing held back: what could be known of
 * the new world by now. It goes on from the weights that served before, twice as long as a recalibration.
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
    for (const key of await listLogKeys(log, application)) {
      const object = await log.get(key);
      for (const line of await unpackLines(await object.arrayBuffer())) {
        const said = readLine(featureShape, line);
        if (said.kind === "correction") corrections.add(said.correction);
        if (said.kind === "example" && said.example.time >= since)
          examples.set(said.example.id, said.example);
      }
    }
  const lists = [...examples.values()].flatMap(
    (example) => trainingListOf(featureShape, example, corrections) ?? [],
  );
  const steps = epochs * Math.ceil(lists.length / batch);
  const decay = 1e-2;
  const course = { seed: 1, epochs, batch, rate: 1e-3, decay, steps };
  const learner = new Learner(featureShape, initialLearnerState(from), decay);
  for (let epoch = 0; epoch < epochs; epoch++)
    await trainPart(learner, lists, course, { epoch, part: 0 }, async () => undefined);
  return { parameters: learner.state.average, lists: lists.length };
}
