// `npm start`: builds and starts the workers, imports a dataset and, for a dataset of the user's own, trains a model.
// Each step that an earlier start has finished is skipped.
import { exitWithError } from "../model/cli/options.ts";
import { chooseDataset, datasetTitle } from "./start/choose-dataset.ts";
import { developmentKey } from "./start/development-key.ts";
import { portBecomesFree } from "./start/free-port.ts";
import { importDataset } from "./start/import-dataset.ts";
import { startLocalCron } from "./start/local-cron.ts";
import { parseStartOptions } from "./start/options.ts";
import { releaseMemory } from "./start/release-memory.ts";
import { prepareWorkers, type RunningServer, runServer } from "./start/run-server.ts";
import { lockState, type StateLock } from "./start/state-lock.ts";
import { writeStateMarker } from "./start/state-marker.ts";
import { waitUntilReady } from "./start/wait-until-ready.ts";
import { printWelcome } from "./start/welcome.ts";
import { ProgressLine } from "./terminal/progress-line.ts";

/** Seconds for which the same reason may keep the service from being ready. */
const unchangedSeconds = 600;

const options = parseStartOptions(process.argv.slice(2), process.env);
const { port, stateDir } = options;

let server: RunningServer | null = null;
let lock: StateLock | null = null;
let stopping = false;
/** Stops the workers, then ends this process. A second signal ends it at once. */
async function end(code: number): Promise<never> {
  if (stopping) process.exit(code);
  stopping = true;
  await server?.stop().catch(() => undefined);
  lock?.release();
  process.exit(code);
}
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void end(0));

async function run(): Promise<void> {
  lock = await lockState(stateDir);
  if (!(await portBecomesFree(port)))
    exitWithError(`Port ${port} is in use. Choose another port, for example: PORT=${port + 1} npm start`);
  // Builds and migrations are processes of their own, and run while the dataset is read.
  const preparation = prepareWorkers(stateDir);
  const { state, read } = await chooseDataset(options);
  console.log(`\nStarting Vicinity with ${datasetTitle(state)}\n`);
  server = await runServer(
    { port, stateDir, initialImport: read?.summary.name ?? null, inspectorPort: null, lock },
    preparation,
    { begin: (step) => new ProgressLine(step) },
  );
  const target = { url: server.url, key: developmentKey };
  const { restart } = server;
  startLocalCron(server.runCron);
  const saveState = (): void => writeStateMarker(stateDir, state);
  saveState();
  if (read) {
    await importDataset(read, target);
    state.loaded = true;
    saveState();
    await releaseMemory(restart);
  }
  if (options.dataDir !== null && !state.trained) {
    const { trainAndRegister } = await import("./start/train-and-register.ts");
    await trainAndRegister(options.dataDir, options.read, options.trainingEffort, stateDir, target);
    state.trained = true;
    saveState();
  }
  const readiness = new ProgressLine("Wait until everything is ready");
  await waitUntilReady(target, unchangedSeconds, (detail) => readiness.update(detail));
  readiness.done();
  await printWelcome(target, port);
}

try {
  await run();
} catch (error) {
  console.error(`\nVicinity did not start: ${error instanceof Error ? error.message : error}`);
  await end(1);
}
