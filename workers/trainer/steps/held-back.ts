import type { TrainingList } from "../../../model/features/batch.ts";
import { gradually } from "../../../model/gradual.ts";
import {
  correctionsGradually,
  type LoggedExample,
  listOf,
} from "../../../model/recalibrate/logged-examples.ts";
import { eachSummary, type Summary } from "../../../model/recalibrate/summary.ts";
import { shape } from "../artifacts.ts";
import type { StepContext } from "./step.ts";

/** Examples of a part that are read between two pauses: about 1 ms of one core. */
const examplesPerPause = 8;

/** A list that training has not seen. */
export interface HeldBack {
  example: LoggedExample;
  list: TrainingList;
}

/** The newest lists of a window `[from, to)`, at most so many; of one part after the other, so that memory is bounded. */
export async function* heldBack(
  context: StepContext,
  from: number,
  to: number,
  most: number,
): AsyncGenerator<HeldBack> {
  const { bench, pause } = context;
  const inWindow: Summary[] = [];
  const look = eachSummary(await bench.numbers("summary"), (each) => {
    if (each.time >= from && each.time < to) inWindow.push(each);
  });
  await gradually(look, pause);
  const newest = inWindow.sort((a, b) => b.time - a.time).slice(0, most);
  const wanted = new Set(newest.map(({ id }) => id));
  const corrections = await gradually(correctionsGradually(await bench.numbers("corrections")), pause);
  let read = 0;
  for (const part of [...new Set(newest.map((each) => each.part))].sort((a, b) => a - b))
    for (const example of await bench.shard(part)) {
      if (++read % examplesPerPause === 0) await pause();
      if (!wanted.has(example.id)) continue;
      const list = listOf(shape, example, corrections);
      await pause();
      if (list !== null) yield { example, list };
    }
}
