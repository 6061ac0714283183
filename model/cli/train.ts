// Trains on a dataset: weights as an ONNX file with its manifest, and a checkpoint after each epoch.
import { parseArgs } from "node:util";
import { fitModel, full, quick } from "../train/fit.ts";
import { readCheckpoint, writeCheckpoint, writeModel } from "./artifact.ts";
import { datasetIn, options, stop, wholeNumber } from "./options.ts";
import { progress, shareLine, trainingLine } from "./progress.ts";

const usage = "Usage: npm run train -- --data DIR --out DIR [--full] [--seed N] [--resume]";
const { values } = options(
  () =>
    parseArgs({
      options: {
        data: { type: "string" },
        out: { type: "string" },
        full: { type: "boolean", default: false },
        resume: { type: "boolean", default: false },
        seed: { type: "string", default: "1" },
      },
    }),
  usage,
);
const { data, out } = values;
if (data === undefined || out === undefined) stop(usage);
const seed = wholeNumber("seed", values.seed, 0);
const dataset = datasetIn(data);
const resume = values.resume ? readCheckpoint(out) : null;
if (resume) console.log(`Resuming after epoch ${resume.epoch}.`);
const trained = await fitModel(dataset, values.full ? full : quick, seed, {
  clock: () => performance.now() / 1000,
  onExamples: (done, total) => progress(shareLine("examples", done, total)),
  onProgress: (each) => progress(trainingLine(each), each.done === each.total),
  onCheckpoint: (checkpoint) => writeCheckpoint(out, checkpoint),
  resume,
});
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
