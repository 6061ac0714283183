import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { syntheticLog } from "../../model/recalibrate/testing/synthetic-log.ts";
import { migrateLocalDatabases } from "../../scripts/databases/migrate.ts";
import { bundledWeights } from "../../scripts/models/bundled-model.ts";
import { writeLog } from "../../shared/training-log/testing/write-log.ts";
import { withLocalBindings } from "../../test/support/with-local-bindings.ts";
import type { BenchContext } from "../context.ts";

/** Number of different examples. The log repeats them with other ids, times and users. */
const distinctExamples = 500;
const userCount = 5000;
/** Application of the development key. */
const application = "demo";
/** Seconds between two examples. */
const secondsBetween = 10;
const linesPerObject = 100;
/** Age above which the log is written again, since recalibrations read only the last thirty days. */
const maxAgeSeconds = 7 * 86_400;

/**
 * Writes a generated training log into a state directory while no worker runs, unless the directory already contains
 * it. The outcomes follow the bundled model's scores. Since the examples repeat, a candidate model can memorize them
 * and may pass the gate. The features are random numbers, which do not compress, so a real log of this length is
 * smaller.
 */
export async function writeRecalibrationLog(context: BenchContext): Promise<void> {
  const { stateDir, examples, rows } = context.options;
  const marker = join(stateDir, "bench-log.json");
  const now = Math.floor(Date.now() / 1000);
  if (existsSync(marker)) {
    const written = JSON.parse(readFileSync(marker, "utf8"));
    if (written.examples === examples && written.rows === rows && now - written.until < maxAgeSeconds) return;
    if (written.examples > examples || written.rows !== rows)
      throw new Error(
        `${stateDir} already contains a log of ${written.examples} examples with ${written.rows} rows each. Choose another directory with STATE_DIR.`,
      );
  }
  mkdirSync(stateDir, { recursive: true });
  await migrateLocalDatabases(stateDir);
  context.log(`writing a training log of ${examples.toLocaleString("en")} examples with ${rows} rows each`);
  const log = {
    examples: Math.min(distinctExamples, examples),
    users: userCount,
    seed: 11,
    until: now,
    shift: 0,
    rows,
  };
  const repeatedExamples = syntheticLog(bundledWeights(), log);
  await withLocalBindings("trainer", stateDir, async ({ TRAINING_LOG }) => {
    for (let at = 0; at < examples; at += linesPerObject) {
      const lines = Array.from({ length: Math.min(linesPerObject, examples - at) }, (_, i) => ({
        ...repeatedExamples[(at + i) % repeatedExamples.length],
        recommendation: `bench-${at + i}`,
        pseudonym: ((at + i) % userCount).toString(16).padStart(4, "0").repeat(16),
        time: now - (examples - at - i) * secondsBetween,
      }));
      await writeLog(TRAINING_LOG, application, lines, linesPerObject, at);
    }
  });
  writeFileSync(marker, JSON.stringify({ examples, rows, until: now }));
}
