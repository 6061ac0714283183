// What each part of the model is worth: trained without it on the same lists, asked the same questions.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { parts, rankerWithout } from "../evaluate/ablation.ts";
import { ask } from "../evaluate/evaluate.ts";
import { gain, quality } from "../evaluate/metrics.ts";
import { fixed, table } from "../evaluate/report.ts";
import type { FeatureBatch } from "../features/batch.ts";
import { featureShape } from "../features/compute.ts";
import { exportOnnx } from "../onnx/export.ts";
import { nodeSession } from "../onnx/runtime.node.ts";
import type { Ranker } from "../pipeline/ports.ts";
import { fitLists, prepare, quick } from "../train/fit.ts";
import { datasetIn, options, stop, wholeNumber } from "./options.ts";
import { progress, shareLine, trainingLine } from "./progress.ts";

const usage =
  "Usage: npm run ablate -- --data DIR [--json FILE] [--lists N] [--epochs N] [--seed N] [--every N]";
const { values } = options(
  () =>
    parseArgs({
      options: {
        data: { type: "string" },
        json: { type: "string" },
        lists: { type: "string", default: String(quick.lists) },
        epochs: { type: "string", default: String(quick.epochs) },
        seed: { type: "string", default: "1" },
        every: { type: "string", default: "2" },
      },
    }),
  usage,
);
if (values.data === undefined) stop(usage);
const dataset = datasetIn(values.data);
const effort = {
  ...quick,
  lists: wholeNumber("lists", values.lists, 100),
  epochs: wholeNumber("epochs", values.epochs, 1),
};
const seed = wholeNumber("seed", values.seed, 0);
const every = wholeNumber("every", values.every, 1);

const { firstStage, lists } = await prepare(dataset, effort, seed, {
  onExamples: (done, total) => progress(shareLine("examples", done, total)),
});

async function trained(name: string, view: (batch: FeatureBatch) => FeatureBatch): Promise<Ranker> {
  const seen = lists.map((list) => ({ ...list, batch: view(list.batch) }));
  const { parameters } = await fitLists(seen, effort, seed, {
    clock: () => performance.now() / 1000,
    onProgress: (each) => progress(`${name}  ${trainingLine(each)}`, each.done === each.total),
  });
  const session = await nodeSession(exportOnnx(featureShape, parameters), featureShape);
  return { version: name, sha256: "", firstStage, score: (batch) => session.run(batch) };
}

const rankers = [await trained("all", (batch) => batch)];
for (const part of parts)
  rankers.push(rankerWithout(part, await trained(`without ${part.name}`, part.without)));

const { asked } = await ask(
  dataset,
  rankers,
  () => performance.now(),
  (done, total) => progress(shareLine("asking", done, total)),
  every,
);
const people = asked.map((each) => each.person);
const ranksOf = (which: number): number[][] => asked.map((each) => [each.ranks.pipeline[which]]);
const whole = quality(ranksOf(0), people);
const rows = parts.map(({ name }, i) => ({
  part: name,
  ...gain(ranksOf(0), ranksOf(i + 1), people),
}));
console.log(
  `\n${dataset.name}: ${asked.length} events asked, NDCG@10 ${fixed(whole.ndcg10)} with everything`,
);
console.log(
  table([
    ["left out", "lost NDCG@10", "95% interval"],
    ...rows.map(({ part, ndcg10, ci }) => [part, fixed(ndcg10), ci ? ci.map(fixed).join(" - ") : "-"]),
  ]).join("\n"),
);
if (values.json !== undefined)
  writeFileSync(values.json, JSON.stringify({ dataset: dataset.name, seed, whole, rows }, null, 2));
