// A thread that trains one model.
import { parentPort, workerData } from "node:worker_threads";
import { trainingClock } from "./progress.ts";
import { train } from "./train-job.ts";
import type { TrainThreadProgress } from "./train-rankers.ts";

const tell = (progress: TrainThreadProgress): void => parentPort?.postMessage({ progress });

const result = await train(workerData, {
  clock: trainingClock,
  onExamples: (done, total) => tell({ examples: { done, total } }),
  onProgress: (training) => tell({ training }),
});
parentPort?.postMessage({ result });
