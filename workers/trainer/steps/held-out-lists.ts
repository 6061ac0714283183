import type { TrainingList } from "../../../model/features/batch.ts";
import { featureShape } from "../../../model/features/compute-features.ts";
import { runWithPauses } from "../../../model/pausable-work.ts";
import { type ExampleSummary, visitSummariesPausable } from "../../../model/recalibrate/example-summary.ts";
import {
  decodeCorrectionsPausable,
  type LoggedExample,
  type OutcomeReading,
  trainingListOf,
} from "../../../model/recalibrate/logged-examples.ts";
import type { StepContext } from "./step.ts";

/** Examples decoded between two pauses: about 1 ms of CPU time. */
const examplesPerPause = 8;

/** A list of a held-out window, which training does not use. */
export interface HeldOutList {
  example: LoggedExample;
  list: TrainingList;
}

/**
 * Yields the newest `maxLists` lists that `isWanted`, with the examination of their positions. It reads one part after the
 * other, which bounds memory.
 */
export async function* heldOutLists(
  context: StepContext,
  isWanted: (summary: ExampleSummary) => boolean,
  maxLists: number,
  reading: OutcomeReading,
): AsyncGenerator<HeldOutList> {
  const { artifacts, pause } = context;
  const inWindow: ExampleSummary[] = [];
  const selection = visitSummariesPausable(await artifacts.numbers("summary"), (each) => {
    if (isWanted(each)) inWindow.push(each);
  });
  await runWithPauses(selection, pause);
  const newest = inWindow.sort((a, b) => b.time - a.time).slice(0, maxLists);
  const wanted = new Set(newest.map(({ id }) => id));
  const corrections = await runWithPauses(
    decodeCorrectionsPausable(await artifacts.numbers("corrections")),
    pause,
  );
  let read = 0;
  for (const part of [...new Set(newest.map((each) => each.part))].sort((a, b) => a - b))
    for (const example of await artifacts.shard(part)) {
      if (++read % examplesPerPause === 0) await pause();
      if (!wanted.has(example.id)) continue;
      const list = trainingListOf(featureShape, example, corrections, reading);
      await pause();
      if (list !== null) yield { example, list };
    }
}
