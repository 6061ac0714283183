import { availableParallelism } from "node:os";
import type { RankerFile } from "../evaluate/ranker-file.node.ts";
import { runInThread, runLimited } from "../threads/run-in-thread.node.ts";
import type { TrainingProgress } from "../train/train.ts";
import { NamedProgress, percentLine, terminalHooks, trainingProgressLine } from "./progress.ts";
import { type TrainJob, train } from "./train-job.ts";

/** What a training thread tells. */
export type TrainThreadProgress =
  | { examples: { done: number; total: number } }
  | { training: TrainingProgress };

/** A training with the name that its progress shows. The job is made when it starts, so that few datasets are in memory. */
export interface NamedJob {
  name: string;
  job: () => TrainJob;
}

/**
 * Trains models, and returns them in the order of the jobs. Each job has a thread of its own, as many at a time as there are
 * processors; a single job runs on this thread.
 */
export async function trainRankers(
  jobs: readonly NamedJob[],
  threads: number = availableParallelism(),
): Promise<RankerFile[]> {
  if (jobs.length === 1) return [await train(jobs[0].job(), terminalHooks)];
  const progress = new NamedProgress();
  const tasks = jobs.map(({ name, job }) => async (signal: AbortSignal) => {
    const file = await runInThread<TrainThreadProgress, RankerFile>(
      new URL("./train-thread.ts", import.meta.url),
      job(),
      (update) =>
        "training" in update
          ? progress.show(name, trainingProgressLine(update.training))
          : progress.show(name, percentLine("examples", update.examples.done, update.examples.total)),
      signal,
    );
    progress.end(name, "trained");
    return file;
  });
  return runLimited(tasks, threads);
}
