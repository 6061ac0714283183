import type { TrainingList } from "../../model/features/batch.ts";
import { featureShape } from "../../model/features/compute.ts";
import { initialParameters } from "../../model/network/parameters.ts";
import { defaultFirstStage } from "../../model/retrieval/first-stage.ts";
import { trainingLists } from "../../model/train/examples.ts";
import { Random } from "../../model/train/random.ts";
import { train, validate } from "../../model/train/train.ts";
import type { BenchContext } from "../context.ts";
import { type Summary, summaryOfRates } from "../figure.ts";
import { bundledInNode } from "../onnx/bundled-model.ts";
import { type Bounds, millisecondsOf } from "../timing.ts";
import { worldOf } from "../data/world.ts";

/** A market of its own, small enough to be made anew whatever the catalogue's size. */
const products = 5000;
const listCount = 2000;
/** Candidates of a list beside the chosen one, and lists of one step: as in training. */
const negatives = 40;
const batch = 16;
const seconds = 10;
/** Passes over all lists, forward only. */
const passes: Bounds = { warmUp: 2, runs: 20, seconds: 4 };

/** Candidates a second where the summary is of milliseconds of a pass over all lists. */
const rateOf = (lists: readonly TrainingList[], { p50 }: Summary): number =>
  (1000 * candidatesOf(lists)) / p50;

const candidatesOf = (lists: readonly TrainingList[]): number =>
  lists.reduce((sum, list) => sum + list.batch.count, 0);

/** Rates of the optimizer's steps on lists, in candidates a second, until the time is over. */
async function stepRates(lists: readonly TrainingList[]): Promise<number[]> {
  const rates: number[] = [];
  const started = performance.now();
  for (let round = 0; performance.now() - started < seconds * 1000; round++) {
    let lap = performance.now();
    let before = 0;
    const samples = candidatesOf(lists) / lists.length;
    await train(featureShape, lists, lists.slice(0, 1), {
      seed: round,
      epochs: 1,
      batch,
      rate: 2e-3,
      decay: 1e-3,
      maxEpochsWithoutGain: 1,
      clock: () => performance.now() / 1000,
      onProgress({ done }) {
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
export async function trainer(context: BenchContext): Promise<void> {
  const { dataset } = worldOf(products);
  context.say("making training lists");
  const lists = await trainingLists(dataset, dataset.train, {
    warmUp: 0.3,
    parts: 1,
    most: listCount,
    negatives,
    random: new Random(1),
    firstStage: defaultFirstStage,
  });
  const rates = await stepRates(lists);
  const parameters = initialParameters(featureShape, new Random(1));
  const forward = await millisecondsOf(() => validate(featureShape, parameters, lists), passes);
  const { session } = await bundledInNode();
  const onnx = await millisecondsOf(async () => {
    for (const { batch: each } of lists) await session.run(each);
  }, passes);
  await session.release();
  context.note(`trainer: ${lists.length} lists of up to ${negatives + 1}, N counts steps of ${batch} lists`);
  context.figures.push({
    section: "trainer",
    name: "candidates trained on",
    unit: "per s",
    ...summaryOfRates(rates),
    baseline: { what: "forward only, by the same tape", value: rateOf(lists, forward) },
    // Backward costs twice forward: one product for the inputs' gradients, one for the weights'.
    limit: { what: "a third of ONNX forward on the same lists", value: rateOf(lists, onnx) / 3 },
  });
}
