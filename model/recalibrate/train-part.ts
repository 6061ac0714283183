import type { TrainingList } from "../features/batch.ts";
import { type Learner, learningRateAt } from "../train/learner.ts";
import { listwiseScales } from "../train/loss.ts";
import { Random } from "../train/random.ts";

/** The optimizer settings of a recalibration. */
export interface TrainingSchedule {
  seed: number;
  epochs: number;
  /** Lists per optimizer step. */
  batch: number;
  /** Peak learning rate: lower than for training from scratch, since training starts from the serving weights. */
  rate: number;
  /** Weight decay. */
  decay: number;
  /** Optimizer steps in all epochs together. */
  steps: number;
}

/** Rows processed between two pauses: about 2 ms of CPU time. */
const rowsPerPause = 32;

/**
 * Trains the learner, in place, on one pass over a part's lists. Returns the mean loss per list. The seed, epoch and
 * part determine the order of the lists: the same state and lists lead to the same weights, wherever earlier work was
 * interrupted.
 */
export async function trainPart(
  learner: Learner,
  lists: readonly TrainingList[],
  { seed, batch, rate, steps }: TrainingSchedule,
  { epoch, part }: { epoch: number; part: number },
  pause: () => Promise<void>,
): Promise<number> {
  const order = new Random(seed + 1000 * epoch + part).shuffle(lists.map((_, i) => i));
  let loss = 0;
  let rows = 0;
  for (let at = 0; at < order.length; at += batch) {
    const some = order.slice(at, at + batch);
    const scales = listwiseScales(some.map((index) => lists[index]));
    learner.clearGradients();
    for (const index of some) {
      loss += learner.addGradients(lists[index], scales);
      rows += lists[index].batch.count;
      if (rows >= rowsPerPause) {
        rows = 0;
        await pause();
      }
    }
    if (!Number.isFinite(loss))
      throw new Error(
        `the loss in part ${part} of epoch ${epoch} is ${loss}: a feature or weight is not finite`,
      );
    learner.step(learningRateAt(rate, learner.state.step + 1, steps), some.length);
  }
  return order.length === 0 ? 0 : loss / order.length;
}
