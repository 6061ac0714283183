// Trains on the simulated marketplace and writes the model that is deployed with the code.

import { join } from "node:path";
import { parseArgs } from "node:util";
import { demoSize, simulate } from "../simulate/simulate.ts";
import { fitModel, full, quick } from "../train/fit.ts";
import { writeModel } from "./artifact.ts";
import { progress, shareLine, trainingLine } from "./progress.ts";

/** The bundled model is a function of these: a fixed seed and a fixed end of the simulated time. */
const seed = 1;
const now = Date.UTC(2026, 0, 5) / 1000;

const { values } = parseArgs({ options: { full: { type: "boolean", default: false } } });
const { dataset } = simulate(demoSize, seed, now);
const trained = await fitModel(dataset, values.full ? full : quick, seed, {
  clock: () => performance.now() / 1000,
  onExamples: (done, total) => progress(shareLine("examples", done, total)),
  onProgress: (each) => progress(trainingLine(each), each.done === each.total),
});
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
