// Trains on a dataset; writes an ONNX file, its manifest, and a checkpoint after each epoch.
import { parseArgs } from "node:util";
import { fullBudget, quickBudget, trainOnDataset } from "../train/train-on-dataset.ts";
import { countingArgument, countingHelp, countingUsage, parseCounting } from "./counting.ts";
import { readCheckpoint, writeCheckpoint, writeModel } from "./model-files.ts";
import { exitWithError, loadDataset, parseOrExit, parseWholeNumber } from "./options.ts";
import { terminalHooks } from "./progress.ts";
import { readArguments, readUsage } from "./read-arguments.ts";

const usage = `Usage: npm run train -- --data DIR --out DIR [--full] [--seed N] [--resume] ${countingUsage} ${readUsage}\n${countingHelp}`;
const { values } = parseOrExit(
  () =>
    parseArgs({
      options: {
        data: { type: "string" },
        ...readArguments,
        ...countingArgument,
        out: { type: "string" },
        full: { type: "boolean", default: false },
        resume: { type: "boolean", default: false },
        seed: { type: "string", default: "1" },
      },
    }),
  usage,
);
const { data, out } = values;
if (data === undefined || out === undefined) exitWithError(usage);
const counting = parseOrExit(() => parseCounting(values.counts), usage);
const seed = parseWholeNumber("seed", values.seed, 0);
const dataset = loadDataset(data, values);
const resume = values.resume ? readCheckpoint(out) : null;
if (resume) console.log(`Resuming after epoch ${resume.epoch}.`);
const trained = await trainOnDataset(
  dataset,
  values.full ? fullBudget : quickBudget,
  seed,
  { ...terminalHooks, onCheckpoint: (checkpoint) => writeCheckpoint(out, checkpoint), resume },
  counting,
);
const manifest = await writeModel(out, "model", trained.parameters, {
  dataset,
  seed,
  validation: trained.validation,
  firstStage: trained.firstStage,
  createdAt: new Date().toISOString(),
});
console.log(
  `${manifest.version}: ${trained.lists.toLocaleString("en")} lists, validation NDCG ${trained.validation.ndcg.toFixed(4)}, AUC ${trained.validation.auc.toFixed(4)}, ${manifest.bytes.toLocaleString("en")} bytes`,
);
