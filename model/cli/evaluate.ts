// Trains on a dataset's older events, ranks its newer events by the serving pipeline, and prints the quality.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { modelManifest } from "../../shared/contracts/model.ts";
import { evaluatedOn } from "../data/evaluated-part.ts";
import { worlds } from "../data/worlds/worlds.ts";
import { type Evaluation, summarizeEvaluation } from "../evaluate/evaluation.ts";
import { expectedPurchases } from "../evaluate/expected-purchases.ts";
import { rankInThreads } from "../evaluate/rank-in-threads.node.ts";
import { loadRanker, type RankerFile } from "../evaluate/ranker-file.node.ts";
import { evaluationReport, purchasesReport } from "../evaluate/report.ts";
import { popularityRanker } from "../pipeline/fallback-rankers.ts";
import { simulate } from "../simulate/simulate.ts";
import { fullBudget, quickBudget } from "../train/train-on-dataset.ts";
import { baselineArgument, baselineUsage, parametersByName, parseBaselines } from "./baseline-arguments.ts";
import { countingArgument, countingHelp, countingUsage, parseCounting } from "./counting.ts";
import { exitWithError, loadDataset, parseOrExit, parseWholeNumber } from "./options.ts";
import { parsePart, partArguments, titleOf } from "./part-arguments.ts";
import { percentLine, printProgress } from "./progress.ts";
import { readArguments, readUsage } from "./read-arguments.ts";
import { trainRankers } from "./train-rankers.ts";

const usage = `Usage: npm run evaluate -- --data DIR | --simulated [--weeks N] [--on valid|test] [--world NAME] [--every N] ${baselineUsage} [--json FILE] [--quick] [--seed N] [--seeds N] [--model DIR] ${countingUsage} ${readUsage}\n${countingHelp}`;
const { values } = parseOrExit(
  () =>
    parseArgs({
      options: {
        data: { type: "string" },
        ...readArguments,
        ...countingArgument,
        simulated: { type: "boolean", default: false },
        weeks: { type: "string", default: "26" },
        ...partArguments,
        ...baselineArgument,
        every: { type: "string", default: "1" },
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
const makeBaselines = parseOrExit(() => parseBaselines(values.baselines), usage);
const { on, world } = parseOrExit(() => parsePart(values), usage);
const dataset = evaluatedOn(worlds[world](simulation?.dataset ?? loadDataset(values.data ?? "", values)), on);
/** Every so many-th event is asked; all are observed. */
const sampleEvery = parseWholeNumber("every", values.every, 1);

const milliseconds = (): number => performance.now();
let files: RankerFile[];
if (values.model !== undefined) {
  const file = (name: string): Buffer =>
    parseOrExit(() => readFileSync(join(values.model ?? "", name)), usage);
  const { version, firstStage } = modelManifest.parse(JSON.parse(file("model.json").toString()));
  files = [{ version, bytes: file("model.onnx"), firstStage }];
} else {
  const budget = values.quick ? quickBudget : fullBudget;
  files = await trainRankers(
    seeds.map((seed) => ({
      name: `seed ${seed}`,
      job: () => ({ budget, seed, input: { dataset, counting } }),
    })),
  );
}

const baselines = makeBaselines(dataset);
const ranks = await rankInThreads(
  dataset,
  files,
  (done, total) => printProgress(percentLine("evaluating", done, total)),
  sampleEvery,
  counting,
  baselines,
);
const evaluation: Evaluation = summarizeEvaluation(
  titleOf(dataset.name, { on, world }),
  dataset.items.size,
  seeds,
  ranks,
);
console.log(`\n${evaluationReport(evaluation)}`);
const purchases =
  simulation &&
  (await expectedPurchases(
    { ...simulation, dataset },
    { pipeline: await loadRanker(files[0]), popularityNear: popularityRanker },
    maxPurchaseLists,
    milliseconds,
    (done, total) => printProgress(percentLine("expected purchases", done, total)),
    counting,
  ));
if (purchases) console.log(`\n${purchasesReport(purchases)}`);
if (values.json !== undefined)
  writeFileSync(
    values.json,
    JSON.stringify(
      {
        ...evaluation,
        on,
        world,
        parameters: parametersByName(baselines),
        ...(purchases ? { purchases } : {}),
      },
      null,
      2,
    ),
  );
