// A thread that ranks the test events of some users.
import { parentPort, workerData } from "node:worker_threads";
import type { Dataset } from "../data/dataset.ts";
import type { ChosenParameters } from "./baselines/tune.ts";
import { baselinesWith } from "./baselines/tuned-baselines.ts";
import { type RankingOptions, rankPart } from "./rank-test-events.ts";
import { loadRanker, type RankerFile } from "./ranker-file.node.ts";

/** What a thread ranks. */
export interface RankThreadInput {
  dataset: Dataset;
  files: readonly RankerFile[];
  options: RankingOptions;
  /** The methods that are ranked beside the counting methods. */
  more: readonly ChosenParameters[];
  users: Set<string>;
}

/** Rejections end the thread with an error, which its owner gets. */
async function run({ dataset, files, options, more, users }: RankThreadInput): Promise<void> {
  const result = await rankPart(
    dataset,
    await Promise.all(files.map(loadRanker)),
    () => performance.now(),
    (done, total) => parentPort?.postMessage({ progress: { done, total } }),
    options,
    baselinesWith(dataset, more),
    (userId) => users.has(userId),
  );
  parentPort?.postMessage({ result });
}

await run(workerData);
