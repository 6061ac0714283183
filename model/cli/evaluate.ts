// Trains on what came before, asks the serving pipeline for what came next, and prints how good it was.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { modelManifest } from "../../shared/contracts/model.ts";
import type { FirstStage } from "../../shared/contracts/retrieval.ts";
import type { Dataset } from "../data/dataset.ts";
import { ask } from "../evaluate/evaluate.ts";
import { type Evaluation, evaluationOf } from "../evaluate/evaluation.ts";
import { expectedPurchases } from "../evaluate/purchases.ts";
import { purchasesReport, reportOf } from "../evaluate/report.ts";
import { featureShape } from "../features/compute.ts";
import { exportOnnx } from "../onnx/export.ts";
import { nodeSession } from "../onnx/runtime.node.ts";
import { popularityRanker } from "../pipeline/fallback.ts";
import type { Ranker } from "../pipeline/ports.ts";
import { simulate } from "../simulate/simulate.ts";
import { fitModel, full, quick } from "../train/fit.ts";
import { datasetIn, options, stop, wholeNumber } from "./options.ts";
import { progress, shareLine, trainingLine } from "./progress.ts";

const usage =
  "Usage: npm run evaluate -- --data DIR | --simulated [--weeks N] [--json FILE] [--quick] [--seed N] [--seeds N] [--model DIR]";
const { values } = options(
  () =>
    parseArgs({
      options: {
        data: { type: "string" },
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
if ((values.data === undefined) === !values.simulated) stop(usage);
const firstSeed = wholeNumber("seed", values.seed, 0);
const count = values.model === undefined ? wholeNumber("seeds", values.seeds, 1) : 1;
/** How long the simulated marketplace has been watched: what can be known of it grows with that. */
const weeks = wholeNumber("weeks", values.weeks, 1);
const seeds = Array.from({ length: count }, (_, i) => firstSeed + i);

/** A smaller marketplace than the demo, of another seed than the one that the bundled model learnt from. */
const heldOut = (weeks: number) => ({ products: 8000, users: 800, events: weeks * 10_000, days: weeks * 7 });
const heldOutSeed = 101;
/** Questions by which expected purchases are judged. */
const judged = 4000;
const simulation = values.simulated
  ? simulate(heldOut(weeks), heldOutSeed, Date.UTC(2026, 0, 5) / 1000)
  : null;
const dataset = simulation?.dataset ?? datasetIn(values.data ?? "");

/** A model as the pipeline's ranker, by ONNX Runtime. */
async function rankerOf(version: string, bytes: Uint8Array, firstStage?: FirstStage): Promise<Ranker> {
  const session = await nodeSession(bytes, featureShape);
  return { version, sha256: "", firstStage, score: (batch) => session.run(batch) };
}

async function trained(on: Dataset, seed: number): Promise<Ranker> {
  const { parameters, firstStage } = await fitModel(on, values.quick ? quick : full, seed, {
    clock: () => performance.now() / 1000,
    onExamples: (done, total) => progress(shareLine("examples", done, total)),
    onProgress: (each) => progress(trainingLine(each), each.done === each.total),
  });
  return rankerOf(`seed-${seed}`, exportOnnx(featureShape, parameters), firstStage);
}

const milliseconds = (): number => performance.now();
const rankers: Ranker[] = [];
if (values.model !== undefined) {
  const file = (name: string): Buffer => options(() => readFileSync(join(values.model ?? "", name)), usage);
  const { version, firstStage } = modelManifest.parse(JSON.parse(file("model.json").toString()));
  rankers.push(await rankerOf(version, file("model.onnx"), firstStage));
} else
  for (const seed of seeds) {
    if (seeds.length > 1) console.log(`seed ${seed}`);
    rankers.push(await trained(dataset, seed));
  }

const answers = await ask(dataset, rankers, milliseconds, (done, total) =>
  progress(shareLine("asking", done, total)),
);
const evaluation: Evaluation = evaluationOf(dataset.name, dataset.items.size, seeds, answers);
console.log(`\n${reportOf(evaluation)}`);
const purchases =
  simulation &&
  (await expectedPurchases(
    simulation,
    { pipeline: rankers[0], popularityNear: popularityRanker },
    judged,
    milliseconds,
    (done, total) => progress(shareLine("judging", done, total)),
  ));
if (purchases) console.log(`\n${purchasesReport(purchases)}`);
if (values.json !== undefined)
  writeFileSync(values.json, JSON.stringify(purchases ? { ...evaluation, purchases } : evaluation, null, 2));
