// `npm start`: migrates the local databases, starts the workers, imports a dataset and, for a dataset of the user's
// own, trains a model. Each step that an earlier start has finished is skipped.
import type { ChildProcess } from "node:child_process";
import { mkdirSync } from "node:fs";
import { exitWithError } from "../model/cli/options.ts";
import { migrateLocalDatabases } from "./databases/migrate.ts";
import { loadLines, readLines } from "./marketplace/import-report.ts";
import { loadMarketplace } from "./marketplace/load-marketplace.ts";
import { demoMarketplace, type ReadMarketplace, readMarketplace } from "./marketplace/read-marketplace.ts";
import { waitUntilVisible } from "./marketplace/wait-until-visible.ts";
import { startLocalCron } from "./start/local-cron.ts";
import { parseStartOptions } from "./start/options.ts";
import { developmentKey, portIsFree, startWorkers, waitUntilReady } from "./start/serve.ts";
import { startLocalProxy } from "./start/start-proxy.ts";
import { readStateMarker, type StateMarker, writeStateMarker } from "./start/state-marker.ts";
import { trainAndRegister } from "./start/train-and-register.ts";
import { printWelcome } from "./start/welcome.ts";
import { ProgressLine, progressText } from "./terminal/progress-line.ts";
import { workers } from "./workers.ts";

const options = parseStartOptions(process.argv.slice(2), process.env);
if (!(await portIsFree(options.port)))
  exitWithError(
    `Port ${options.port} is in use. Choose another port, for example: PORT=${options.port + 1} npm start`,
  );

const savedState = savedMarker();
// A dataset is read once. A start that has imported it needs its name alone.
const read = savedState?.loaded && options.dataDir === null ? null : readData();
const datasetName = read?.marketplace.name ?? "demo";
if (savedState && options.dataDir !== null && savedState.dataset !== datasetName)
  exitWithError(
    `${options.stateDir} already contains the dataset "${savedState.dataset}". Use another directory for "${datasetName}": STATE_DIR=DIR npm start -- --data ...`,
  );
if (savedState && !savedState.loaded && options.dataDir === null && savedState.dataset !== datasetName)
  exitWithError(
    `${options.stateDir} holds the dataset "${savedState.dataset}", whose import has not ended. Name it again: npm start -- --data PATH`,
  );
const state: StateMarker = savedState ?? { dataset: datasetName, loaded: false, trained: false };
const saveState = () => writeStateMarker(options.stateDir, state);

/** Reads the marker of the state directory; ends this process with one line if this version cannot read the state. */
function savedMarker(): StateMarker | null {
  try {
    return readStateMarker(options.stateDir);
  } catch (error) {
    return exitWithError(error instanceof Error ? error.message : String(error));
  }
}

/** Reads the dataset, or simulates the demo. Ends this process with the reason if the dataset cannot be read. */
function readData(): ReadMarketplace {
  const now = Date.now() / 1000;
  const reading = new ProgressLine(options.dataDir ? "Read the dataset" : "Simulate the demo marketplace");
  let found: ReadMarketplace;
  try {
    found =
      options.dataDir === null
        ? demoMarketplace(now)
        : readMarketplace(options.dataDir, now, options.times, options.read);
  } catch (error) {
    return exitWithError(
      `\n${options.dataDir} cannot be imported: ${error instanceof Error ? error.message : error}`,
    );
  }
  const { products, events } = found.marketplace;
  const users = new Set(events.map((event) => event.userId)).size;
  const count = (value: number): string => value.toLocaleString("en");
  reading.done(`${count(products.length)} products, ${count(users)} users, ${count(events.length)} events`);
  for (const line of readLines(found)) console.log(`    ${line}`);
  return found;
}

/** Time that the workers get to stop by themselves before they are killed. */
const stopTimeoutMs = 5000;
const readyTimeoutSeconds = 120;

let workersProcess: ChildProcess | null = null;
let stopping = false;
/** Stops the workers, then ends this process. */
async function end(code: number): Promise<never> {
  stopping = true;
  const child = workersProcess;
  if (child && child.exitCode === null) {
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGINT");
    await Promise.race([exited, new Promise((resolve) => setTimeout(resolve, stopTimeoutMs))]);
    child.kill("SIGKILL");
  }
  process.exit(code);
}
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => {
    if (!stopping) void end(0);
  });

async function run(): Promise<void> {
  mkdirSync(options.stateDir, { recursive: true });
  console.log(
    `\nStarting Vicinity with ${state.dataset === "demo" ? "the demo marketplace" : `the dataset ${state.dataset}`}\n`,
  );

  const migration = new ProgressLine("Migrate the databases");
  migration.done(
    (await migrateLocalDatabases(options.stateDir)) ? "tables created, cities loaded" : "up to date",
  );

  const market = state.loaded ? null : (read?.marketplace ?? null);

  const starting = new ProgressLine("Start the workers");
  const onWorkersExit = (): void => {
    if (!stopping)
      exitWithError(
        `The workers stopped unexpectedly. Look for the reason at the end of ${options.stateDir}/workers.log, then run npm start again.`,
      );
  };
  const proxy = await startLocalProxy(options.port);
  await startWorkers(
    proxy.port,
    options.stateDir,
    (child) => {
      workersProcess = child;
      child.once("exit", onWorkersExit);
    },
    { proxySecret: proxy.secret, initialImport: market?.name ?? null },
  );
  starting.done(`${workers.length} workers and the static pages run in one process`);
  const target = { url: `http://127.0.0.1:${options.port}`, key: developmentKey };
  startLocalCron(target.url);
  saveState();

  if (market) {
    const importing = new ProgressLine("Import products and events");
    const report = await loadMarketplace(market, target, (step, done, total) =>
      importing.update(`${step} ${progressText(done, total)}`),
    );
    const rejected = report.products.rejected + report.events.rejected;
    importing.update("waiting until queries find the products");
    await waitUntilVisible(target, market.products);
    importing.done(rejected === 0 ? "all rows accepted" : `${rejected} rows rejected`);
    if (rejected > 0) for (const line of loadLines(report, null)) console.log(`    ${line}`);
    state.loaded = true;
    saveState();
  }
  if (options.dataDir !== null && !state.trained) {
    await trainAndRegister(options.dataDir, options.read, options.trainingEffort, options.stateDir, target);
    state.trained = true;
    saveState();
  }

  const readiness = new ProgressLine("Wait until everything is ready");
  await waitUntilReady(target, readyTimeoutSeconds, (detail) => readiness.update(detail));
  readiness.done();
  await printWelcome(target, options.port);
}

try {
  await run();
} catch (error) {
  console.error(`\nVicinity did not start: ${error instanceof Error ? error.message : error}`);
  await end(1);
}
