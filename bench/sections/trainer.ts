import type { TrainingList } from "../../model/features/batch.ts";
import { featureShape } from "../../model/features/compute-features.ts";
import { initialParameters } from "../../model/network/parameters.ts";
import { defaultFirstStage } from "../../model/retrieval/first-stage.ts";
import { Random } from "../../model/train/random.ts";
import { train, validateOnLists } from "../../model/train/train.ts";
import { trainingLists } from "../../model/train/training-lists.ts";
import type { BenchContext } from "../context.ts";
import { buildIndexedMarket } from "../data/indexed-market.ts";
import { type Statistics, summarizeRates } from "../figure.ts";
import { openBundledModel } from "../onnx/bundled-model.ts";
import { measureMilliseconds, type RunLimits } from "../timing.ts";

/** Products of this section's own market: few, so that generating it is fast for every `--products`. */
const products = 5000;
const listCount = 2000;
/** Candidates per list besides the chosen one, and lists per optimizer step: as in training. */
const negatives = 40;
const listsPerStep = 16;
/** Duration of the measurement of optimizer steps. */
const seconds = 10;
/** Forward passes over all lists. */
const passes: RunLimits = { warmUp: 2, runs: 20, seconds: 4 };

/** Converts the milliseconds of a pass over all lists into candidates per second. */
const candidatesPerSecond = (lists: readonly TrainingList[], { p50 }: Statistics): number =>
  (1000 * countCandidates(lists)) / p50;

const countCandidates = (lists: readonly TrainingList[]): number =>
  lists.reduce((sum, list) => sum + list.batch.count, 0);

/** Returns the rates of optimizer steps on the lists, in candidates per second, measured for {@link seconds}. */
async function measureStepRates(lists: readonly TrainingList[]): Promise<number[]> {
  const rates: number[] = [];
  const started = performance.now();
  for (let round = 0; performance.now() - started < seconds * 1000; round++) {
    let stepStarted = performance.now();
    let doneBefore = 0;
    const candidatesPerList = countCandidates(lists) / lists.length;
    await train(featureShape, lists, lists.slice(0, 1), {
      seed: round,
      epochs: 1,
      listsPerStep,
      maxLearningRate: 2e-3,
      weightDecay: 1e-3,
      maxEpochsWithoutGain: 1,
      clock: () => performance.now() / 1000,
      onProgress({ doneLists }) {
        const now = performance.now();
        rates.push((1000 * candidatesPerList * (doneLists - doneBefore)) / (now - stepStarted));
        stepStarted = now;
        doneBefore = doneLists;
      },
    });
  }
  return rates;
}

/** Measures training on simulated lists: forward and backward pass and optimizer step, in candidates per second. */
export async function measureTrainer(context: BenchContext): Promise<void> {
  const { dataset } = buildIndexedMarket(products);
  context.log("generating training lists");
  const lists = await trainingLists(dataset, dataset.train, {
    warmUp: 0.3,
    periods: 1,
    sampleSize: listCount,
    negatives,
    random: new Random(1),
    firstStage: defaultFirstStage,
  });
  const rates = await measureStepRates(lists);
  const parameters = initialParameters(featureShape, new Random(1));
  const forward = await measureMilliseconds(() => validateOnLists(featureShape, parameters, lists), passes);
  const { session } = await openBundledModel();
  const onnx = await measureMilliseconds(async () => {
    for (const { batch } of lists) await session.run(batch);
  }, passes);
  await session.release();
  context.addNote(
    `trainer: ${lists.length} lists of up to ${negatives + 1} candidates; N counts optimizer steps of ${listsPerStep} lists`,
  );
  context.figures.push({
    section: "trainer",
    name: "training candidates",
    unit: "per s",
    ...summarizeRates(rates),
    baseline: { label: "forward pass alone, same code", value: candidatesPerSecond(lists, forward) },
    // The backward pass costs two forward passes: one product for the gradients of the inputs, one for those of the
    // weights.
    limit: {
      label: "a third of the ONNX forward pass on the same lists",
      value: candidatesPerSecond(lists, onnx) / 3,
    },
  });
}
