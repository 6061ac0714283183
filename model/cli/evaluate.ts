// Trains on a dataset's older events, ranks its newer events by the serving pipeline, and prints the quality.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { modelManifest } from "../../shared/contracts/model.ts";
import type { FirstStage } from "../../shared/contracts/retrieval.ts";
import type { Dataset } from "../data/dataset.ts";
import { type Evaluation, summarizeEvaluation } from "../evaluate/evaluation.ts";
import { expectedPurchases } from "../evaluate/expected-purchases.ts";
import { rankTestEvents } from "../evaluate/rank-test-events.ts";
import { evaluationReport, purchasesReport } from "../evaluate/report.ts";
import { featureShape } from "../features/compute-features.ts";
import { exportOnnx } from "../onnx/export.ts";
import { loadModelInNode } from "../onnx/load-model.node.ts";
import { popularityRanker } from "../pipeline/fallback-rankers.ts";
import type { Ranker } from "../pipeline/ports.ts";
import { simulate } from "../simulate/simulate.ts";
import { fullBudget, quickBudget, trainOnDataset } from "../train/train-on-dataset.ts";
import { countingArgument, countingHelp, countingUsage, parseCounting } from "./counting.ts";
import { exitWithError, loadDataset, parseOrExit, parseWholeNumber } from "./options.ts";
import { percentLine, printProgress, terminalHooks } from "./progress.ts";
import { readArguments, readUsage } from "./read-arguments.ts";

const usage = `Usage: npm run evaluate -- --data DIR | --simulated [--weeks N] [--json FILE] [--quick] [--seed N] [--seeds N] [--model DIR] ${countingUsage} ${readUsage}\n${countingHelp}`;
const { values } = parseOrExit(
  () =>
    parseArgs({
      options: {
        data: { type: "string" },
        ...readArguments,
        ...countingArgument,
        simulated: { type: "boolean", default: false },
        weeks: { type: "string", default: "26" },
        json: { type: "string" },
        quick: { type: "boolean", default: false },
        model: { type: "string" },
        seed: { type: "string", default: "1" },
        seeds: { type: "string", default: "1" },
      },
    }),
  usage,
);
if ((values.data === undefined) === !values.simulated) exitWithError(usage);
const counting = parseOrExit(() => parseCounting(values.counts), usage);
const firstSeed = parseWholeNumber("seed", values.seed, 0);
const count = values.model === undefined ? parseWholeNumber("seeds", values.seeds, 1) : 1;
/** Length of the simulated history, in weeks: a longer history reveals more of the hidden preferences. */
const weeks = parseWholeNumber("weeks", values.weeks, 1);
const seeds = Array.from({ length: count }, (_, i) => firstSeed + i);

/** Returns the size of a marketplace smaller than the demo; its seed differs from the bundled model's training data. */
const evaluationSize = (weeks: number) => ({
  products: 8000,
  users: 800,
  events: weeks * 10_000,
  days: weeks * 7,
});
const marketplaceSeed = 101;
/** Largest number of lists per method for measuring expected purchases. */
const maxPurchaseLists = 4000;
const simulation = values.simulated
  ? simulate(evaluationSize(weeks), marketplaceSeed, Date.UTC(2026, 0, 5) / 1000)
  : null;
const dataset = simulation?.dataset ?? loadDataset(values.data ?? "", values);

/** Returns a ranker that scores with a model in ONNX Runtime. */
async function onnxRanker(version: string, bytes: Uint8Array, firstStage?: FirstStage): Promise<Ranker> {
  const session = await loadModelInNode(bytes, featureShape);
  return { version, sha256: "", firstStage, score: (batch) => session.run(batch) };
}

/** Trains a model on a dataset and returns it as a ranker. */
async function trainRanker(dataset: Dataset, seed: number): Promise<Ranker> {
  const { parameters, firstStage } = await trainOnDataset(
    dataset,
    values.quick ? quickBudget : fullBudget,
    seed,
    terminalHooks,
    counting,
  );
  return onnxRanker(`seed-${seed}`, exportOnnx(featureShape, parameters), firstStage);
}

const milliseconds = (): number => performance.now();
const rankers: Ranker[] = [];
if (values.model !== undefined) {
  const file = (name: string): Buffer =>
    parseOrExit(() => readFileSync(join(values.model ?? "", name)), usage);
  const { version, firstStage } = modelManifest.parse(JSON.parse(file("model.json").toString()));
  rankers.push(await onnxRanker(version, file("model.onnx"), firstStage));
} else
  for (const seed of seeds) {
    if (seeds.length > 1) console.log(`seed ${seed}`);
    rankers.push(await trainRanker(dataset, seed));
  }

const ranks = await rankTestEvents(
  dataset,
  rankers,
  milliseconds,
  (done, total) => printProgress(percentLine("evaluating", done, total)),
  1,
  counting,
);
const evaluation: Evaluation = summarizeEvaluation(dataset.name, dataset.items.size, seeds, ranks);
console.log(`\n${evaluationReport(evaluation)}`);
const purchases =
  simulation &&
  (await expectedPurchases(
    simulation,
    { pipeline: rankers[0], popularityNear: popularityRanker },
    maxPurchaseLists,
    milliseconds,
    (done, total) => printProgress(percentLine("expected purchases", done, total)),
    counting,
  ));
if (purchases) console.log(`\n${purchasesReport(purchases)}`);
if (values.json !== undefined)
  writeFileSync(values.json, JSON.stringify(purchases ? { ...evaluation, purchases } : evaluation, null, 2));
