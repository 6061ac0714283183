import type { TrainingList } from "../features/batch.ts";
import { type Learner, rateAt } from "../train/learner.ts";
import { Random } from "../train/random.ts";

/** How a recalibration learns. */
export interface Course {
  seed: number;
  epochs: number;
  /** Lists of one step of the optimizer. */
  batch: number;
  /** Highest learning rate: less than from nothing, since the weights are good already. */
  rate: number;
  decay: number;
  /** Steps of the optimizer in all epochs together. */
  steps: number;
}

/** Rows that are worked on between two pauses: about 2 ms of one core. */
const rowsPerPause = 32;

/**
 * One pass over a part of the lists, in an order that the seed, epoch and part decide; changes the learner's state in place. The same
 * state and lists lead to the same weights, wherever the work was interrupted before. Answers the mean loss of a list.
 */
export async function learn(
  learner: Learner,
  lists: readonly TrainingList[],
  { seed, batch, rate, steps }: Course,
  { epoch, part }: { epoch: number; part: number },
  pause: () => Promise<void>,
): Promise<number> {
  const order = new Random(seed + 1000 * epoch + part).shuffle(lists.map((_, i) => i));
  let loss = 0;
  let rows = 0;
  for (let at = 0; at < order.length; at += batch) {
    const some = order.slice(at, at + batch);
    learner.begin();
    for (const index of some) {
      loss += learner.see(lists[index]);
      rows += lists[index].batch.count;
      if (rows >= rowsPerPause) {
        rows = 0;
        await pause();
      }
    }
    if (!Number.isFinite(loss)) throw new Error(`the loss is ${loss}: an input is not finite`);
    learner.step(rateAt(rate, learner.state.step + 1, steps), some.length);
  }
  return order.length === 0 ? 0 : loss / order.length;
}
