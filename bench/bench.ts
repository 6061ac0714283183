// `npm run bench`: measures each figure next to a baseline and a limit from the same run.
import { execFileSync } from "node:child_process";
import { cpus, loadavg } from "node:os";
import { root } from "../scripts/workers.ts";
import { BenchContext } from "./context.ts";
import { writeRecalibrationLog } from "./data/recalibration-log.ts";
import { figureTable } from "./figure-table.ts";
import { parseBenchOptions, type SectionName } from "./options.ts";
import { runToEnd, writeReport } from "./run-to-end.ts";
import { measureAsStarted } from "./sections/as-started/as-started.ts";
import { measureMixed } from "./sections/as-started/mixed.ts";
import { measureWrites } from "./sections/as-started/writes.ts";
import { measureChoices } from "./sections/choices.ts";
import { measureColumns } from "./sections/columns.ts";
import { measureCut } from "./sections/cut.ts";
import { measureEndToEnd } from "./sections/end-to-end.ts";
import { measureExpressions } from "./sections/expressions.ts";
import { measureIngest } from "./sections/ingest.ts";
import { measureLimit } from "./sections/limit.ts";
import { measureLog } from "./sections/log.ts";
import { measureNearby } from "./sections/nearby.ts";
import { measureParts } from "./sections/parts.ts";
import { measureRare } from "./sections/rare.ts";
import { measureRecalibration } from "./sections/recalibration.ts";
import { measureRecalibrationMemory } from "./sections/recalibration-memory.ts";
import { measureRules } from "./sections/rules.ts";
import { measureCost, measureFreshness } from "./sections/simulations.ts";
import { measureSoak } from "./sections/soak.ts";
import { measureStartup } from "./sections/startup.ts";
import { measureSwap } from "./sections/swap.ts";
import { measureTrainer } from "./sections/trainer.ts";
import { measureTraining } from "./sections/training.ts";
import { type ServedCatalog, serveCatalog } from "./workers/serve-catalog.ts";

/** Sections that run in this process. */
const inProcessSections = new Map<SectionName, (context: BenchContext) => Promise<void>>([
  ["limit", measureLimit],
  ["training", measureTraining],
  ["startup", measureStartup],
  ["choices", measureChoices],
  ["parts", measureParts],
  ["rules", measureRules],
  ["expressions", measureExpressions],
  ["nearby", measureNearby],
  ["rare", measureRare],
  ["cut", measureCut],
  ["columns", measureColumns],
  ["trainer", measureTrainer],
  ["log", measureLog],
  ["as-started", measureAsStarted],
  ["mixed", measureMixed],
  ["writes", measureWrites],
  ["freshness", measureFreshness],
  ["cost", measureCost],
]);
/** Sections that send requests to the workers. */
const workerSections = new Map<SectionName, (context: BenchContext, served: ServedCatalog) => Promise<void>>([
  ["end-to-end", measureEndToEnd],
  ["ingest", measureIngest],
  ["swap", measureSwap],
  ["soak", measureSoak],
  ["recalibration", measureRecalibration],
  ["recalibration-memory", measureRecalibrationMemory],
]);

const options = parseBenchOptions(process.argv.slice(2), process.env);
const started = performance.now();
const context = new BenchContext(options, (line) =>
  console.log(`${((performance.now() - started) / 1000).toFixed(0).padStart(4)} s  ${line}`),
);

/** Returns the hash of the current commit; null outside a git repository. */
function currentCommit(): string | null {
  try {
    return execFileSync("git", ["rev-parse", "HEAD"], { cwd: root, encoding: "utf8" }).trim();
  } catch {
    return null;
  }
}

async function run(): Promise<void> {
  const loadBefore = loadavg();
  for (const name of options.sections) {
    const measure = inProcessSections.get(name);
    if (!measure) continue;
    context.log(`section ${name}`);
    await measure(context);
  }
  context.releaseMarket();
  const loadSections = options.sections.filter((name) => workerSections.has(name));
  if (loadSections.length > 0) {
    if (loadSections.some((name) => name.startsWith("recalibration"))) await writeRecalibrationLog(context);
    const served = await serveCatalog(context);
    for (const name of loadSections) {
      context.log(`section ${name}`);
      await workerSections.get(name)?.(context, served);
    }
    await served.stop();
  }
  const machine = {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    node: process.version,
    loadBefore,
    loadAfter: loadavg(),
  };
  const [one, five] = machine.loadAfter;
  context.addNote(
    `machine: ${machine.cores} x ${machine.cpu}, node ${machine.node}, load ${machine.loadBefore[0].toFixed(1)} before, ${one.toFixed(1)} (1 min) and ${five.toFixed(1)} (5 min) after`,
  );
  console.log(`\n${figureTable(context.figures)}\n`);
  for (const note of context.notes) console.log(note);
  if (options.json === null) return;
  const report = {
    commit: currentCommit(),
    date: new Date().toISOString(),
    products: options.products,
    machine,
    figures: context.figures,
    notes: context.notes,
  };
  writeReport(options.json, report);
}

await runToEnd(run);
