// Trains on the simulated marketplace and writes the bundled model, which deploys with the code.

import { join } from "node:path";
import { parseArgs } from "node:util";
import { demoSize, simulate } from "../simulate/simulate.ts";
import { fullBudget, quickBudget, trainOnDataset } from "../train/train-on-dataset.ts";
import { countingArgument, countingHelp, countingUsage, parseCounting } from "./counting.ts";
import { writeModel } from "./model-files.ts";
import { parseOrExit } from "./options.ts";
import { terminalHooks } from "./progress.ts";

/**
 * A fixed seed and a fixed end of the simulated history: the same code trains the same bytes. The quick budget trains the
 * committed model. The full one fits the simulated cities more closely, and then 12 buyers in a small shop count less for
 * a new user than two kilometers.
 */
const seed = 1;
const now = Date.UTC(2026, 0, 5) / 1000;

const usage = `Usage: npm run bundle -- [--full] ${countingUsage}\n${countingHelp}`;
const { values } = parseOrExit(
  () => parseArgs({ options: { full: { type: "boolean", default: false }, ...countingArgument } }),
  usage,
);
const counting = parseOrExit(() => parseCounting(values.counts), usage);
const { dataset } = simulate(demoSize, seed, now);
const budget = values.full ? fullBudget : quickBudget;
const trained = await trainOnDataset(dataset, budget, seed, terminalHooks, counting);
const manifest = await writeModel(join(import.meta.dirname, "../artifacts"), "bundled", trained.parameters, {
  dataset: { ...dataset, name: "bundled" },
  seed,
  validation: trained.validation,
  firstStage: trained.firstStage,
  createdAt: new Date(now * 1000).toISOString(),
});
console.log(
  `${manifest.version}: NDCG ${trained.validation.ndcg.toFixed(4)}, AUC ${trained.validation.auc.toFixed(4)}, ${manifest.bytes} bytes`,
);
