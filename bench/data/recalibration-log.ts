import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { featureShape } from "../../model/features/compute-features.ts";
import { readParameters } from "../../model/onnx/read-parameters.ts";
import { syntheticLog } from "../../model/recalibrate/testing/synthetic-log.ts";
import { migrateLocalDatabases } from "../../scripts/databases/migrate.ts";
import { writeLog } from "../../shared/training-log/testing/write-log.ts";
import { withBindings } from "../../test/kill/stores.ts";
import type { BenchContext } from "../context.ts";
import { bundledModelBytes } from "../onnx/bundled-model.ts";

/** Examples that differ; the others repeat them under other names, at other times, for other people. */
const distinct = 500;
const users = 5000;
/** The application of the development key. */
const application = "demo";
const secondsBetween = 10;
const linesPerObject = 100;
/** A log older than this is written anew, since recalibrations read the last thirty days. */
const freshSeconds = 7 * 86_400;

/**
 * Writes a training log into a state that nothing runs on, unless it holds it from before. The people in it want just what
 * the serving model says; since examples repeat, their outcomes can be learnt by heart, so a candidate may pass the gate. Features are random numbers
 * that no compression makes smaller: a real log is smaller.
 */
export async function writeRecalibrationLog(context: BenchContext): Promise<void> {
  const { stateDir, examples, rows } = context.options;
  const marker = join(stateDir, "bench-log.json");
  const now = Math.floor(Date.now() / 1000);
  if (existsSync(marker)) {
    const written = JSON.parse(readFileSync(marker, "utf8"));
    if (written.examples === examples && written.rows === rows && now - written.until < freshSeconds) return;
    if (written.examples > examples || written.rows !== rows)
      throw new Error(
        `${stateDir} holds a log of ${written.examples} examples of ${written.rows} rows; choose another STATE_DIR.`,
      );
  }
  mkdirSync(stateDir, { recursive: true });
  await migrateLocalDatabases(stateDir);
  const weights = readParameters(featureShape, new Uint8Array(bundledModelBytes()));
  if (weights === null) throw new Error("the bundled model is of another network");
  context.log(`log of ${examples.toLocaleString("en")} examples of ${rows} rows`);
  const log = { examples: Math.min(distinct, examples), users: users, seed: 11, until: now, shift: 0, rows };
  const repeatedExamples = syntheticLog(weights, log);
  await withBindings("trainer", stateDir, async ({ TRAINING_LOG }) => {
    for (let at = 0; at < examples; at += linesPerObject) {
      const lines = Array.from({ length: Math.min(linesPerObject, examples - at) }, (_, i) => ({
        ...repeatedExamples[(at + i) % repeatedExamples.length],
        recommendationId: `bench-${at + i}`,
        pseudonym: ((at + i) % users).toString(16).padStart(4, "0").repeat(16),
        time: now - (examples - at - i) * secondsBetween,
      }));
      await writeLog(TRAINING_LOG, application, lines, linesPerObject, at);
    }
  });
  writeFileSync(marker, JSON.stringify({ examples, rows, until: now }));
}
