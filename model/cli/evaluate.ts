// npm run evaluate -- --data DIR | --simulated [--json FILE] [--full] [--seed N] [--model DIR]
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readDataset } from "../data/read.node.ts";
import { evaluate } from "../evaluate/evaluate.ts";
import { reportOf } from "../evaluate/report.ts";
import { featureShape } from "../features/compute.ts";
import { exportOnnx } from "../onnx/export.ts";
import { nodeSession } from "../onnx/runtime.node.ts";
import { simulate } from "../simulate/simulate.ts";
import { fit, full, quick } from "../train/fit.ts";
import { progress, shareLine, trainingLine } from "./progress.ts";

const { values } = parseArgs({
  options: {
    data: { type: "string" },
    json: { type: "string" },
    full: { type: "boolean", default: false },
    simulated: { type: "boolean", default: false },
    model: { type: "string" },
    seed: { type: "string", default: "1" },
  },
});
if (values.data === undefined && !values.simulated) {
  console.error(
    "Usage: npm run evaluate -- --data DIR | --simulated [--json FILE] [--full] [--seed N] [--model DIR]",
  );
  process.exit(1);
}
const seed = Number(values.seed);
/** A smaller marketplace than the demo, made by another seed than the one that the bundled model learnt from. */
const heldOut = { products: 8000, people: 800, events: 80_000, days: 56 };
const dataset =
  values.data === undefined
    ? simulate(heldOut, 100 + seed, Date.UTC(2026, 0, 5) / 1000).dataset
    : readDataset(values.data);
async function bytesOf(): Promise<Uint8Array> {
  if (values.model !== undefined) return readFileSync(join(values.model, "model.onnx"));
  const trained = await fit(dataset, values.full ? full : quick, seed, {
    clock: () => performance.now() / 1000,
    onExamples: (done, total) => progress(shareLine("examples", done, total)),
    onProgress: (each) => progress(trainingLine(each), each.done === each.total),
  });
  return exportOnnx(featureShape, trained.parameters);
}
const session = await nodeSession(await bytesOf(), featureShape);
const evaluation = await evaluate(
  dataset,
  { version: "candidate", sha256: "", score: (batch) => session.run(batch) },
  [seed],
  () => performance.now(),
  (done, total) => progress(shareLine("asking", done, total)),
);
console.log(`\n${reportOf(evaluation)}`);
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(evaluation, null, 2));
