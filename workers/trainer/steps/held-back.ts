import type { TrainingList } from "../../../model/features/batch.ts";
import { type LoggedExample, listOf } from "../../../model/recalibrate/logged.ts";
import { summariesIn } from "../../../model/recalibrate/summary.ts";
import { shape } from "../workbench.ts";
import type { StepContext } from "./step.ts";

/** A list that training has not seen. */
export interface HeldBack {
  example: LoggedExample;
  list: TrainingList;
}

/** The newest lists of a window `[from, to)`, at most so many; of one part after the other, so that memory is bounded. */
export async function* heldBack(
  context: StepContext,
  parts: number,
  from: number,
  to: number,
  most: number,
): AsyncGenerator<HeldBack> {
  const { bench, pause } = context;
  const inWindow = summariesIn(await bench.summary(parts - 1)).filter(
    ({ time }) => time >= from && time < to,
  );
  const newest = inWindow.sort((a, b) => b.time - a.time).slice(0, most);
  const wanted = new Set(newest.map(({ id }) => id));
  const corrections = await bench.corrections(parts);
  for (const part of [...new Set(newest.map((each) => each.part))].sort((a, b) => a - b))
    for (const example of await bench.shard(part)) {
      if (!wanted.has(example.id)) continue;
      const list = listOf(shape, example, corrections);
      await pause();
      if (list !== null) yield { example, list };
    }
}
