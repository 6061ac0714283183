// One command from a fresh clone to real recommendations: migrates, serves, loads, trains where asked to.

import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { migrateLocalDatabases } from "./databases/migrate.ts";
import { loadMarketplace, type Marketplace } from "./marketplace/load-marketplace.ts";
import { marketplaceSource } from "./marketplace/marketplace.ts";
import { waitUntilVisible } from "./marketplace/wait-until-visible.ts";
import { startLocalCron } from "./start/local-cron.ts";
import { parseStartOptions } from "./start/options.ts";
import { developmentKey, portIsFree, startWorkers, waitUntilReady } from "./start/serve.ts";
import { trainAndRegister } from "./start/train-and-register.ts";
import { printWelcome } from "./start/welcome.ts";
import { exitWithError, ProgressLine, progressText } from "./terminal/terminal.ts";
import { workers } from "./workers.ts";

const options = parseStartOptions(process.argv.slice(2), process.env);
if (!(await portIsFree(options.port)))
  exitWithError(`Port ${options.port} is in use; choose another one: PORT=8788 npm start`);

const choice = marketplaceSource(options.dataDir);
const marker = join(options.stateDir, "dataset.json");

/** What a state holds: the dataset's name, and whether every step for it was finished. */
interface StateMarker {
  dataset: string;
  loaded: boolean;
  trained: boolean;
}

const held: StateMarker | null = existsSync(marker) ? JSON.parse(readFileSync(marker, "utf8")) : null;
if (held && options.dataDir !== null && held.dataset !== choice.datasetName)
  exitWithError(
    `The state in ${options.stateDir} holds "${held.dataset}", not "${choice.datasetName}"; use another one: STATE_DIR=DIR npm start -- --data ...`,
  );
const state: StateMarker = held ?? { dataset: choice.datasetName, loaded: false, trained: false };
const remember = () => writeFileSync(marker, JSON.stringify(state));

let workersProcess: ChildProcess | null = null;
let stopping = false;
async function end(code: number): Promise<never> {
  stopping = true;
  const child = workersProcess;
  if (child && child.exitCode === null) {
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGINT");
    await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, 5000))]);
    child.kill("SIGKILL");
  }
  process.exit(code);
}
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => {
    if (!stopping) void end(0);
  });

function readMarketplace(): Marketplace {
  const reading = new ProgressLine(options.dataDir ? "dataset" : "demo marketplace");
  const market = choice.read(Date.now() / 1000);
  const people = new Set(market.events.map((event) => event.userId)).size;
  const count = (things: number): string => things.toLocaleString("en");
  reading.done(
    `${count(market.products.length)} products, ${count(people)} people, ${count(market.events.length)} events`,
  );
  for (const problem of choice.rejectedRows()) console.log(`    ${problem}`);
  return market;
}

async function run(): Promise<void> {
  mkdirSync(options.stateDir, { recursive: true });
  console.log(
    `\nVicinity, ${state.dataset === "demo" ? "with the demo marketplace" : `with ${state.dataset}`}\n`,
  );

  const migration = new ProgressLine("databases");
  migration.done(
    (await migrateLocalDatabases(options.stateDir)) ? "migrated, gazetteer filled" : "up to date",
  );

  // Before anybody can ask whether all is ready: from then on it is known that an import is running.
  const market = state.loaded ? null : readMarketplace();

  const serving = new ProgressLine("workers");
  const served = await startWorkers(options.port, options.stateDir, (child) => {
    workersProcess = child;
    child.once("exit", () => {
      if (!stopping)
        exitWithError(
          `The workers stopped by themselves; their last words are in ${options.stateDir}/workers.log.`,
        );
    });
  });
  serving.done(`${workers.length} and the pages, in one process`);
  const target = { url: served.url, key: developmentKey };
  startLocalCron(served.url);
  remember();

  if (market) {
    const loading = new ProgressLine("import");
    const report = await loadMarketplace(market, target, (step, done, total) =>
      loading.update(`${step} ${progressText(done, total)}`),
    );
    const refused = report.products.rejected + report.events.rejected;
    loading.update("waiting for the places to know");
    await waitUntilVisible(target, market.products);
    loading.done(refused === 0 ? "complete" : `${refused} rows refused`);
    for (const { line, message } of [...report.products.errors, ...report.events.errors].slice(0, 5))
      console.log(`    line ${line}: ${message}`);
    state.loaded = true;
    remember();
  }
  if (options.dataDir !== null && !state.trained) {
    await trainAndRegister(options.dataDir, options.trainingEffort, options.stateDir, target);
    state.trained = true;
    remember();
  }

  const readiness = new ProgressLine("ready");
  await waitUntilReady(served.url, 120, (detail) => readiness.update(detail));
  readiness.done();
  await printWelcome(target, options.port);
}

try {
  await run();
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : error}`);
  await end(1);
}
