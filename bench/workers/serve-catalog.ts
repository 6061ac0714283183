import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadMarketplace } from "../../scripts/marketplace/load-marketplace.ts";
import { toMarketplace } from "../../scripts/marketplace/marketplace.ts";
import { waitUntilVisible } from "../../scripts/marketplace/wait-until-visible.ts";
import { developmentKey } from "../../scripts/start/development-key.ts";
import { freePort, portIsFree } from "../../scripts/start/free-port.ts";
import { prepareWorkers, runServer } from "../../scripts/start/run-server.ts";
import { lockState } from "../../scripts/start/state-lock.ts";
import { waitUntilReady } from "../../scripts/start/wait-until-ready.ts";
import { progressText } from "../../scripts/terminal/progress-line.ts";
import type { BenchContext } from "../context.ts";
import { type GeneratedMarket, generateMarket } from "../data/generated-market.ts";
import { waitUntilIdle } from "../load/wait-until-idle.ts";
import { findRuntime, type Workerd } from "./workerd.ts";

/** All workers, running with a generated catalog. */
export interface ServedCatalog {
  /** Address for requests: the gateway's own socket of workerd. */
  url: string;
  /** The workerd process that runs all workers; null if it was not found, as on systems without /proc. */
  workerd: Workerd | null;
  market: GeneratedMarket;
  /**
   * Milliseconds until the gateway answered, including the time to bundle the workers and to migrate the databases where
   * that was needed.
   */
  startMs: number;
  stop(): Promise<void>;
}

const readyTimeoutSeconds = 180;
/** Seconds between two lines of the import's progress. */
const reportSeconds = 10;

/**
 * Returns when the market of a state directory ends, in seconds since the Unix epoch; null if nothing was imported yet.
 */
function readMarketTime(marker: string): number | null {
  return existsSync(marker) ? JSON.parse(readFileSync(marker, "utf8")).now : null;
}

/**
 * Starts all workers and imports the generated catalog through the public API, unless the state directory contains it.
 */
export async function serveCatalog(context: BenchContext): Promise<ServedCatalog> {
  const { port, stateDir, products } = context.options;
  if (!(await portIsFree(port)))
    throw new Error(`Port ${port} is in use. Choose another port: PORT=${port + 1} npm run bench`);
  mkdirSync(stateDir, { recursive: true });
  const marker = join(stateDir, "bench.json");
  const savedTime = readMarketTime(marker);
  const now = savedTime ?? Math.floor(Date.now() / 1000);
  const market = generateMarket(products, now);
  context.log(`starting the workers with the state in ${stateDir}`);
  const lock = await lockState(stateDir);
  const spawned = performance.now();
  const inspectorPort = await freePort();
  const server = await runServer(
    { port, stateDir, initialImport: null, inspectorPort, lock },
    prepareWorkers(stateDir),
    { begin: (step) => ({ update: () => undefined, done: (detail) => context.log(`${step}: ${detail}`) }) },
  );
  const { url } = server;
  const startMs = performance.now() - spawned;
  const target = { url, key: developmentKey };
  if (savedTime === null) {
    const marketplace = toMarketplace(market.dataset, { shift: 0 });
    context.log(`importing ${products.toLocaleString("en")} products`);
    let reported = Date.now();
    const report = await loadMarketplace(marketplace, target, (step, done, total) => {
      if (Date.now() - reported < reportSeconds * 1000) return;
      reported = Date.now();
      context.log(`import: ${step} ${progressText(done, total)}`);
    });
    const rejected = report.products.rejected + report.events.rejected;
    if (rejected > 0)
      throw new Error(
        `The API rejected ${rejected} rows of the generated catalog: ${[...report.products.errors, ...report.events.errors][0]?.message}`,
      );
    await waitUntilVisible(target, marketplace.products);
    writeFileSync(marker, JSON.stringify({ now }));
  }
  await server.runCron();
  await waitUntilReady(target, readyTimeoutSeconds, () => undefined);
  const workerd = await findRuntime(inspectorPort);
  if (workerd) await waitUntilIdle(workerd.pid, (line) => context.addNote(`workers: ${line}`));
  return {
    url,
    workerd,
    market,
    startMs,
    stop: async () => {
      await server.stop();
      lock.release();
    },
  };
}
