import { availableParallelism } from "node:os";
import type { Dataset } from "../data/dataset.ts";
import type { CountingRules } from "../replay/tile-pyramid.ts";
import { runInThread, runLimited } from "../threads/run-in-thread.node.ts";
import type { ChosenParameters } from "./baselines/tune.ts";
import { baselinesWith } from "./baselines/tuned-baselines.ts";
import { mergeRanks } from "./merge-ranks.ts";
import { type PartRanks, rankTestEvents, type TestRanks } from "./rank-test-events.ts";
import type { RankThreadInput } from "./rank-thread.node.ts";
import { loadRanker, type RankerFile } from "./ranker-file.node.ts";
import { userParts } from "./user-parts.ts";

/**
 * Ranks as {@link rankTestEvents} does, with the users divided among threads: each thread observes the events of all users
 * before the test part, and then only its own users' test events. The ranks are the same for any number of threads.
 */
export async function rankInThreads(
  dataset: Dataset,
  files: readonly RankerFile[],
  onProgress: (done: number, total: number) => void,
  sampleEvery = 1,
  counting?: CountingRules,
  more: readonly ChosenParameters[] = [],
  threads: number = availableParallelism(),
): Promise<TestRanks> {
  const parts = userParts(dataset.test, threads);
  if (parts.length < 2) {
    const rankers = await Promise.all(files.map(loadRanker));
    const clock = (): number => performance.now();
    const made = baselinesWith(dataset, more);
    return rankTestEvents(dataset, rankers, clock, onProgress, sampleEvery, counting, made);
  }
  const options = { sampleEvery, counting };
  const chosen = more.map(({ name, parameters }) => ({ name, parameters }));
  const done = parts.map(() => 0);
  const tasks = parts.map((users, i) => (signal: AbortSignal) => {
    const input: RankThreadInput = { dataset, files, options, more: chosen, users };
    const report = (progress: { done: number; total: number }): void => {
      done[i] = progress.done;
      // The slowest thread tells how far the whole is.
      onProgress(Math.min(...done), progress.total);
    };
    return runInThread<{ done: number; total: number }, PartRanks>(
      new URL("./rank-thread.node.ts", import.meta.url),
      input,
      report,
      signal,
    );
  });
  return mergeRanks(await runLimited(tasks, parts.length));
}
