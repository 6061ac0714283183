// Trains the model without each of its parts on the same lists, and prints the loss in NDCG@10 on the same test events.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { evaluatedOn } from "../data/evaluated-part.ts";
import { type Ablation, ablations, noAblation } from "../evaluate/ablation.ts";
import { ndcgGain, rankingQuality } from "../evaluate/metrics.ts";
import { rankTestEvents } from "../evaluate/rank-test-events.ts";
import { alignColumns, formatFigure } from "../evaluate/report.ts";
import type { FeatureBatch } from "../features/batch.ts";
import { featureShape } from "../features/compute-features.ts";
import { exportOnnx } from "../onnx/export.ts";
import { loadModelInNode } from "../onnx/load-model.node.ts";
import type { ModelSession } from "../onnx/model-session.ts";
import { randomBatch } from "../onnx/random-batch.ts";
import type { Ranker } from "../pipeline/ports.ts";
import type { TrainingProgress } from "../train/train.ts";
import { prepareTrainingData, quickBudget, trainOnLists } from "../train/train-on-dataset.ts";
import { exitWithError, loadDataset, parseOrExit, parseWholeNumber } from "./options.ts";
import { parsePart } from "./part-arguments.ts";
import { percentLine, printProgress, terminalHooks, trainingProgressLine } from "./progress.ts";
import { readArguments, readUsage } from "./read-arguments.ts";

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

/** Trains a ranker without a part, and returns it with its median milliseconds per run. */
async function trainWithout({ name, shape, removeFrom }: Ablation): Promise<{ ranker: Ranker; ms: number }> {
  const reducedLists = lists.map((list) => ({ ...list, batch: removeFrom(list.batch) }));
  const hooks = {
    ...terminalHooks,
    onProgress: (progress: TrainingProgress) =>
      printProgress(
        `without ${name}  ${trainingProgressLine(progress)}`,
        progress.doneLists === progress.totalLists,
      ),
  };
  const { parameters } = await trainOnLists(reducedLists, budget, seed, hooks, shape);
  const session = await loadModelInNode(exportOnnx(shape, parameters), shape);
  const score = (batch: FeatureBatch) => session.run(removeFrom(batch));
  return {
    ranker: { version: `without ${name}`, sha256: "", firstStage, score },
    ms: await medianMilliseconds(session),
  };
}

const variants: { ranker: Ranker; ms: number }[] = [];
for (const ablation of [noAblation, ...ablations]) variants.push(await trainWithout(ablation));
const rankers = variants.map(({ ranker }) => ranker);

const { events } = await rankTestEvents(
  dataset,
  rankers,
  () => performance.now(),
  (done, total) => printProgress(percentLine("evaluating", done, total)),
  sampleEvery,
);
const userIds = events.map((each) => each.userId);
const ranksOf = (variant: number): number[][] => events.map((each) => [each.ranks.pipeline[variant]]);
const fullModel = rankingQuality(ranksOf(0), userIds);
const rows = ablations.map(({ name }, i) => ({
  part: name,
  ms: variants[i + 1].ms,
  ...ndcgGain(ranksOf(0), ranksOf(i + 1), userIds),
}));
console.log(
  `\n${dataset.name}, ${on}: ${events.length} events evaluated, NDCG@10 ${formatFigure(fullModel.ndcg10)} with all parts, ${variants[0].ms.toFixed(2)} ms in ONNX Runtime for ${latencyRun.candidates} candidates`,
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
      { dataset: dataset.name, on, seed, fullModel: { ...fullModel, ms: variants[0].ms }, rows },
      null,
      2,
    ),
  );
