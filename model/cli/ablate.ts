// Trains the model without each of its parts on the same lists, and prints the loss in NDCG@10 on the same test events.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { evaluatedOn } from "../data/evaluated-part.ts";
import { ablations, noAblation } from "../evaluate/ablation.ts";
import { ndcgGain, rankingQuality } from "../evaluate/metrics.ts";
import { rankInThreads } from "../evaluate/rank-in-threads.node.ts";
import { ablationNamed } from "../evaluate/ranker-file.node.ts";
import { alignColumns, formatFigure } from "../evaluate/report.ts";
import { featureShape } from "../features/compute-features.ts";
import { loadModelInNode } from "../onnx/load-model.node.ts";
import type { ModelSession } from "../onnx/model-session.ts";
import { randomBatch } from "../onnx/random-batch.ts";
import { prepareTrainingData, quickBudget } from "../train/train-on-dataset.ts";
import { exitWithError, loadDataset, parseOrExit, parseWholeNumber } from "./options.ts";
import { parsePart } from "./part-arguments.ts";
import { percentLine, printProgress, terminalHooks } from "./progress.ts";
import { readArguments, readUsage } from "./read-arguments.ts";
import { trainRankers } from "./train-rankers.ts";

const usage = `Usage: npm run ablate -- --data DIR [--json FILE] [--lists N] [--epochs N] [--seed N] [--every N] [--on valid|test] ${readUsage}`;
const { values } = parseOrExit(
  () =>
    parseArgs({
      options: {
        data: { type: "string" },
        ...readArguments,
        json: { type: "string" },
        lists: { type: "string", default: String(quickBudget.lists) },
        epochs: { type: "string", default: String(quickBudget.epochs) },
        seed: { type: "string", default: "1" },
        every: { type: "string", default: "2" },
        on: { type: "string", default: "valid" },
      },
    }),
  usage,
);
if (values.data === undefined) exitWithError(usage);
const { on } = parseOrExit(() => parsePart({ on: values.on, world: "given" }), usage);
const dataset = evaluatedOn(loadDataset(values.data, values), on);
const budget = {
  ...quickBudget,
  lists: parseWholeNumber("lists", values.lists, 100),
  epochs: parseWholeNumber("epochs", values.epochs, 1),
};
const seed = parseWholeNumber("seed", values.seed, 0);
const sampleEvery = parseWholeNumber("every", values.every, 1);

const { firstStage, lists } = await prepareTrainingData(dataset, budget, seed, terminalHooks);

/** Number of timed runs, and candidates of each run. */
const latencyRun = { runs: 300, candidates: 500 };

/** Returns the median milliseconds of a run with 500 candidates. */
async function medianMilliseconds(session: ModelSession): Promise<number> {
  const batch = randomBatch(featureShape, latencyRun.candidates, 1);
  const times: number[] = [];
  for (let i = 0; i < latencyRun.runs; i++) {
    const started = performance.now();
    await session.run(batch);
    times.push(performance.now() - started);
  }
  return times.sort((a, b) => a - b)[latencyRun.runs >> 1];
}

const files = await trainRankers(
  [noAblation, ...ablations].map(({ name }) => ({
    name: `without ${name}`,
    job: () => ({ budget, seed, input: { lists, firstStage, ablation: name } }),
  })),
);
// Timed one after another, when no training takes the processor.
const medians: number[] = [];
for (const { bytes, ablation = noAblation.name } of files)
  medians.push(await medianMilliseconds(await loadModelInNode(bytes, ablationNamed(ablation).shape)));

const { events } = await rankInThreads(
  dataset,
  files,
  (done, total) => printProgress(percentLine("evaluating", done, total)),
  sampleEvery,
);
const userIds = events.map((each) => each.userId);
const ranksOf = (variant: number): number[][] => events.map((each) => [each.ranks.pipeline[variant]]);
const fullModel = rankingQuality(ranksOf(0), userIds);
const rows = ablations.map(({ name }, i) => ({
  part: name,
  ms: medians[i + 1],
  ...ndcgGain(ranksOf(0), ranksOf(i + 1), userIds),
}));
console.log(
  `\n${dataset.name}, ${on}: ${events.length} events evaluated, NDCG@10 ${formatFigure(fullModel.ndcg10)} with all parts, ${medians[0].toFixed(2)} ms in ONNX Runtime for ${latencyRun.candidates} candidates`,
);
console.log(
  alignColumns([
    ["left out", "lost NDCG@10", "95% interval", "ms"],
    ...rows.map(({ part, ndcg10, ci, ms }) => [
      part,
      formatFigure(ndcg10),
      ci ? ci.map(formatFigure).join(" - ") : "-",
      ms.toFixed(2),
    ]),
  ]).join("\n"),
);
if (values.json !== undefined)
  writeFileSync(
    values.json,
    JSON.stringify(
      { dataset: dataset.name, on, seed, fullModel: { ...fullModel, ms: medians[0] }, rows },
      null,
      2,
    ),
  );
