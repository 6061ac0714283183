// What each part of the model is worth: trained without it on the same lists, asked the same questions.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Part, parts, whole } from "../evaluate/ablation.ts";
import { ask } from "../evaluate/evaluate.ts";
import { gain, quality } from "../evaluate/metrics.ts";
import { fixed, table } from "../evaluate/report.ts";
import type { FeatureBatch } from "../features/batch.ts";
import { featureShape } from "../features/compute.ts";
import { exportOnnx } from "../onnx/export.ts";
import { randomBatch } from "../onnx/manifest.ts";
import { nodeSession } from "../onnx/runtime.node.ts";
import type { Session } from "../onnx/session.ts";
import type { Ranker } from "../pipeline/ports.ts";
import { fitLists, prepare, quick } from "../train/fit.ts";
import type { TrainingProgress } from "../train/train.ts";
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

/** Runs by which a network is timed, and candidates of each. */
const timed = { runs: 300, candidates: 500 };

/** Median milliseconds of a run for 500 candidates. */
async function millisecondsOf(session: Session): Promise<number> {
  const batch = randomBatch(featureShape, timed.candidates, 1);
  const times: number[] = [];
  for (let i = 0; i < timed.runs; i++) {
    const started = performance.now();
    await session.run(batch);
    times.push(performance.now() - started);
  }
  return times.sort((a, b) => a - b)[timed.runs >> 1];
}

/** The pipeline's ranker, trained without a part, and what a run costs. */
async function trainedWithout({ name, shape, without }: Part): Promise<{ ranker: Ranker; ms: number }> {
  const seen = lists.map((list) => ({ ...list, batch: without(list.batch) }));
  const ports = {
    clock: () => performance.now() / 1000,
    onProgress: (each: TrainingProgress) =>
      progress(`without ${name}  ${trainingLine(each)}`, each.done === each.total),
  };
  const { parameters } = await fitLists(seen, effort, seed, ports, shape);
  const session = await nodeSession(exportOnnx(shape, parameters), shape);
  const score = (batch: FeatureBatch) => session.run(without(batch));
  return {
    ranker: { version: `without ${name}`, sha256: "", firstStage, score },
    ms: await millisecondsOf(session),
  };
}

const variants: { ranker: Ranker; ms: number }[] = [];
for (const part of [whole, ...parts]) variants.push(await trainedWithout(part));
const rankers = variants.map(({ ranker }) => ranker);

const { asked } = await ask(
  dataset,
  rankers,
  () => performance.now(),
  (done, total) => progress(shareLine("asking", done, total)),
  every,
);
const people = asked.map((each) => each.person);
const ranksOf = (which: number): number[][] => asked.map((each) => [each.ranks.pipeline[which]]);
const everything = quality(ranksOf(0), people);
const rows = parts.map(({ name }, i) => ({
  part: name,
  ms: variants[i + 1].ms,
  ...gain(ranksOf(0), ranksOf(i + 1), people),
}));
console.log(
  `\n${dataset.name}: ${asked.length} events asked, NDCG@10 ${fixed(everything.ndcg10)} with everything, ${variants[0].ms.toFixed(2)} ms of ONNX for 500 candidates`,
);
console.log(
  table([
    ["left out", "lost NDCG@10", "95% interval", "ms"],
    ...rows.map(({ part, ndcg10, ci, ms }) => [
      part,
      fixed(ndcg10),
      ci ? ci.map(fixed).join(" - ") : "-",
      ms.toFixed(2),
    ]),
  ]).join("\n"),
);
if (values.json !== undefined)
  writeFileSync(
    values.json,
    JSON.stringify(
      { dataset: dataset.name, seed, whole: { ...everything, ms: variants[0].ms }, rows },
      null,
      2,
    ),
  );
