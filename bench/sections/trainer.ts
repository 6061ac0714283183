import type { TrainingList } from "../../model/features/batch.ts";
import { featureShape } from "../../model/features/compute-features.ts";
import { initialParameters } from "../../model/network/parameters.ts";
import { defaultFirstStage } from "../../model/retrieval/first-stage.ts";
import { Random } from "../../model/train/random.ts";
import { train, validateOnLists } from "../../model/train/train.ts";
import { trainingLists } from "../../model/train/training-lists.ts";
import type { BenchContext } from "../context.ts";
import { buildIndexedMarket } from "../data/world.ts";
import { type Statistics, summarizeRates } from "../figure.ts";
import { openBundledModel } from "../onnx/bundled-model.ts";
import { measureMilliseconds, type RunLimits } from "../timing.ts";

/** A market of its own, small enough to be made anew whatever the catalogue's size. */
const products = 5000;
const listCount = 2000;
/** Candidates of a list beside the chosen one, and lists of one step: as in training. */
const negatives = 40;
const batch = 16;
const seconds = 10;
/** Passes over all lists, forward only. */
const passes: RunLimits = { warmUp: 2, runs: 20, seconds: 4 };

/** Candidates a second where the summary is of milliseconds of a pass over all lists. */
const candidatesPerSecond = (lists: readonly TrainingList[], { p50 }: Statistics): number =>
  (1000 * countCandidates(lists)) / p50;

const countCandidates = (lists: readonly TrainingList[]): number =>
  lists.reduce((sum, list) => sum + list.batch.count, 0);

/** Rates of the optimizer's steps on lists, in candidates a second, until the time is over. */
async function measureStepRates(lists: readonly TrainingList[]): Promise<number[]> {
  const rates: number[] = [];
  const started = performance.now();
  for (let round = 0; performance.now() - started < seconds * 1000; round++) {
    let lap = performance.now();
    let before = 0;
    const samples = countCandidates(lists) / lists.length;
    await train(featureShape, lists, lists.slice(0, 1), {
      seed: round,
      epochs: 1,
      listsPerStep: batch,
      maxLearningRate: 2e-3,
      weightDecay: 1e-3,
      maxEpochsWithoutGain: 1,
      clock: () => performance.now() / 1000,
      onProgress({ doneLists: done }) {
        const now = performance.now();
        rates.push((1000 * samples * (done - before)) / (now - lap));
        lap = now;
        before = done;
      },
    });
  }
  return rates;
}

/** Training on simulated lists, in candidates a second, forward, backward and the optimizer's step. */
export async function measureTrainer(context: BenchContext): Promise<void> {
  const { dataset } = buildIndexedMarket(products);
  context.log("making training lists");
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
    for (const { batch: each } of lists) await session.run(each);
  }, passes);
  await session.release();
  context.addNote(
    `trainer: ${lists.length} lists of up to ${negatives + 1}, N counts steps of ${batch} lists`,
  );
  context.figures.push({
    section: "trainer",
    name: "candidates trained on",
    unit: "per s",
    ...summarizeRates(rates),
    baseline: { label: "forward only, by the same tape", value: candidatesPerSecond(lists, forward) },
    // Backward costs twice forward: one product for the inputs' gradients, one for the weights'.
    limit: {
      label: "a third of ONNX forward on the same lists",
      value: candidatesPerSecond(lists, onnx) / 3,
    },
  });
}
