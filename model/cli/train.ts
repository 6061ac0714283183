// npm run train -- --data DIR --out DIR [--full] [--seed N] [--resume]
import { parseArgs } from "node:util";
import { readDataset } from "../data/read.node.ts";
import { fit, full, quick } from "../train/fit.ts";
import { readCheckpoint, writeCheckpoint, writeModel } from "./artifact.ts";
import { progress, shareLine, trainingLine } from "./progress.ts";

const { values } = parseArgs({
  options: {
    data: { type: "string" },
    out: { type: "string" },
    full: { type: "boolean", default: false },
    resume: { type: "boolean", default: false },
    seed: { type: "string", default: "1" },
  },
});
const { data, out } = values;
if (data === undefined || out === undefined) {
  console.error("Usage: npm run train -- --data DIR --out DIR [--full] [--seed N] [--resume]");
  process.exit(1);
}
const seed = Number(values.seed);
const dataset = readDataset(data);
for (const problem of dataset.problems) console.log(problem);
if (dataset.refused > 0) console.log(`${dataset.refused} rows were refused.`);
const resume = values.resume ? readCheckpoint(out) : null;
if (resume) console.log(`Resuming after epoch ${resume.epoch}.`);
const trained = await fit(dataset, values.full ? full : quick, seed, {
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
  createdAt: new Date().toISOString(),
});
console.log(
  `${manifest.version}: ${trained.lists.toLocaleString("en")} lists, validation NDCG ${trained.validation.ndcg.toFixed(4)}, AUC ${trained.validation.auc.toFixed(4)}, ${manifest.bytes.toLocaleString("en")} bytes`,
);
