// Trains and evaluates in each variant of a dataset, and prints where the pipeline gains how much over counting.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Dataset } from "../data/dataset.ts";
import { type EvaluatedPart, evaluatedOn } from "../data/evaluated-part.ts";
import { worlds } from "../data/worlds/worlds.ts";
import { type Evaluation, summarizeEvaluation } from "../evaluate/evaluation.ts";
import { rankInThreads } from "../evaluate/rank-in-threads.node.ts";
import { robustReport } from "../evaluate/robust-report.ts";
import { simulate } from "../simulate/simulate.ts";
import { fullBudget, quickBudget } from "../train/train-on-dataset.ts";
import { baselineArgument, baselineUsage, parseBaselines } from "./baseline-arguments.ts";
import { exitWithError, loadDataset, parseOrExit, parseWholeNumber } from "./options.ts";
import { parsePart } from "./part-arguments.ts";
import { percentLine, printProgress } from "./progress.ts";
import { readArguments, readUsage } from "./read-arguments.ts";
import { trainRankers } from "./train-rankers.ts";

const usage = `Usage: npm run robust -- --data DIR | --simulated [--on valid|test] [--worlds NAME,NAME] [--every N] ${baselineUsage} [--quick] [--seed N] [--json FILE] ${readUsage}`;
const { values } = parseOrExit(
  () =>
    parseArgs({
      options: {
        data: { type: "string" },
        simulated: { type: "boolean", default: false },
        ...readArguments,
        ...baselineArgument,
        on: { type: "string", default: "valid" },
        worlds: { type: "string", default: Object.keys(worlds).join(",") },
        every: { type: "string", default: "1" },
        quick: { type: "boolean", default: false },
        seed: { type: "string", default: "1" },
        json: { type: "string" },
      },
    }),
  usage,
);
if ((values.data === undefined) === !values.simulated) exitWithError(usage);
const names = values.worlds.split(",");
let on: EvaluatedPart = "valid";
for (const world of names) on = parseOrExit(() => parsePart({ on: values.on, world }), usage).on;
const sampleEvery = parseWholeNumber("every", values.every, 1);
const makeBaselines = parseOrExit(() => parseBaselines(values.baselines), usage);
const seed = parseWholeNumber("seed", values.seed, 0);
const budget = values.quick ? quickBudget : fullBudget;
/** A marketplace small enough to be simulated and trained on in each world. */
const simulatedSize = { products: 4000, users: 400, events: 80_000, days: 112 };
const simulatedSeed = 101;
const given = values.simulated
  ? simulate(simulatedSize, simulatedSeed, Date.UTC(2026, 0, 5) / 1000).dataset
  : loadDataset(values.data ?? "", values);

const datasetOf = (name: string): Dataset => evaluatedOn(worlds[name](given), on);
const files = await trainRankers(
  names.map((name) => ({
    name: `world ${name}`,
    job: () => ({ budget, seed, input: { dataset: datasetOf(name) } }),
  })),
);
const evaluations: Record<string, Evaluation> = {};
for (const [i, name] of names.entries()) {
  const dataset = datasetOf(name);
  const ranks = await rankInThreads(
    dataset,
    [files[i]],
    (done, total) => printProgress(percentLine(`evaluating world ${name}`, done, total)),
    sampleEvery,
    undefined,
    makeBaselines(dataset),
  );
  evaluations[name] = summarizeEvaluation(dataset.name, dataset.items.size, [seed], ranks);
}
console.log(`\n${given.name}, ${on}, ${values.quick ? "quick" : "full"} training, seed ${seed}\n`);
console.log(robustReport(evaluations));
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(evaluations, null, 2));
