import { type MatrixMemory, PlainMemory } from "../../model/autograd/matrix-memory.ts";
import { newMatrixMemory } from "../../model/autograd/new-memory.ts";
import type { TrainingList } from "../../model/features/batch.ts";
import { featureShape } from "../../model/features/compute-features.ts";
import { initialParameters } from "../../model/network/parameters.ts";
import { randomBatch } from "../../model/onnx/random-batch.ts";
import { initialLearnerState, Learner } from "../../model/train/learner.ts";
import { Random } from "../../model/train/random.ts";
import type { BenchContext } from "../context.ts";
import { summarizeRates } from "../figure.ts";
import { processorTimesSideBySide } from "../timing.ts";

/** Candidates of a list, and lists of an optimizer step, as in training on a dataset. */
const candidates = 41;
const listsPerStep = 16;
const stepsPerRound = 4;
const rounds = { warmUp: 4, rounds: 30 };

/** Returns a list of random inputs in which the first candidate was chosen. */
function randomList(seed: number): TrainingList {
  const chosen = new Float32Array(candidates);
  chosen[0] = 1;
  return {
    batch: randomBatch(featureShape, candidates, seed),
    engage: chosen,
    purchase: chosen,
    candidatesRepresented: new Float32Array(candidates).fill(10),
    weight: 1,
  };
}

/** Measures how many candidates training processes in a second of processor time, with and without WebAssembly. */
export async function measureTraining(context: BenchContext): Promise<void> {
  const lists = Array.from({ length: listsPerStep * stepsPerRound }, (_, i) => randomList(i + 1));
  const trainOn = (memory: MatrixMemory) => {
    const state = initialLearnerState(initialParameters(featureShape, new Random(1)));
    const learner = new Learner(featureShape, state, 1e-2, memory);
    return async (): Promise<void> => {
      for (let at = 0; at < lists.length; at += listsPerStep) {
        learner.clearGradients();
        for (const list of lists.slice(at, at + listsPerStep)) learner.addGradients(list);
        learner.step(1e-3, listsPerStep);
      }
    };
  };
  const times = await processorTimesSideBySide(
    [trainOn(newMatrixMemory()), trainOn(new PlainMemory())],
    rounds,
  );
  const [fast, plain] = times.map((each) =>
    summarizeRates(each.map((microseconds) => (lists.length * candidates * 1e6) / microseconds)),
  );
  context.figures.push({
    section: "training",
    name: "candidates trained on, per second of processor time",
    unit: "per s",
    ...fast,
    baseline: { label: "products in JavaScript", value: plain.p50 },
    limit: null,
  });
}
