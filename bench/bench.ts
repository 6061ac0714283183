// npm run bench: every figure beside a baseline and a limit of the same run.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { dirname } from "node:path";
import { root } from "../scripts/workers.ts";
import { BenchContext } from "./context.ts";
import { benchOptions, type SectionName } from "./options.ts";
import { endAll } from "./workers/processes.ts";
import { writeRecalibrationLog } from "./data/recalibration-log.ts";
import { choices } from "./sections/choices.ts";
import { cut } from "./sections/cut.ts";
import { endToEnd } from "./sections/end-to-end.ts";
import { ingest } from "./sections/ingest.ts";
import { limit } from "./sections/limit.ts";
import { nearby } from "./sections/nearby.ts";
import { parts } from "./sections/parts.ts";
import { recalibration } from "./sections/recalibration.ts";
import { recalibrationMemory } from "./sections/recalibration-memory.ts";
import { soak } from "./sections/soak.ts";
import { startup } from "./sections/startup.ts";
import { swap } from "./sections/swap.ts";
import { trainer } from "./sections/trainer.ts";
import { type ServedCatalog, serveCatalog } from "./workers/serve-catalog.ts";
import { tableOf } from "./figure-table.ts";

/** Sections that need no workers, and sections that load them. */
const inProcess = new Map<SectionName, (context: BenchContext) => Promise<void>>([
  ["limit", limit],
  ["startup", startup],
  ["choices", choices],
  ["parts", parts],
  ["nearby", nearby],
  ["cut", cut],
  ["trainer", trainer],
]);
const overWorkers = new Map<SectionName, (context: BenchContext, served: ServedCatalog) => Promise<void>>([
  ["end-to-end", endToEnd],
  ["ingest", ingest],
  ["swap", swap],
  ["soak", soak],
  ["recalibration", recalibration],
  ["recalibration-memory", recalibrationMemory],
]);

const options = benchOptions(process.argv.slice(2), process.env);
const started = performance.now();
const context = new BenchContext(options, (line) =>
  console.log(`${((performance.now() - started) / 1000).toFixed(0).padStart(4)} s  ${line}`),
);

function commit(): string | null {
  try {
    return execFileSync("git", ["rev-parse", "HEAD"], { cwd: root, encoding: "utf8" }).trim();
  } catch {
    return null;
  }
}

async function run(): Promise<void> {
  const loadBefore = loadavg();
  for (const name of options.sections) {
    const measure = inProcess.get(name);
    if (!measure) continue;
    context.say(name);
    await measure(context);
  }
  context.forgetWorld();
  const loads = options.sections.filter((name) => overWorkers.has(name));
  if (loads.length > 0) {
    if (loads.some((name) => name.startsWith("recalibration"))) await writeRecalibrationLog(context);
    const served = await serveCatalog(context);
    for (const name of loads) {
      context.say(name);
      await overWorkers.get(name)?.(context, served);
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
  context.note(
    `machine: ${machine.cores} x ${machine.cpu}, node ${machine.node}, load ${machine.loadBefore[0].toFixed(1)} before, ${one.toFixed(1)} (1 min) and ${five.toFixed(1)} (5 min) after`,
  );
  console.log(`\n${tableOf(context.figures)}\n`);
  for (const note of context.notes) console.log(note);
  if (options.json === null) return;
  mkdirSync(dirname(options.json), { recursive: true });
  const report = {
    commit: commit(),
    date: new Date().toISOString(),
    products: options.products,
    machine,
    figures: context.figures,
    notes: context.notes,
  };
  writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
}

/** Ends what was started, then this process. */
async function leave(code: number): Promise<never> {
  await endAll();
  process.exit(code);
}
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void leave(130));

try {
  await run();
  await leave(0);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  await leave(1);
}
