import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { migrateLocalDatabases } from "../../scripts/databases/migrate.ts";
import { loadMarketplace } from "../../scripts/marketplace/load-marketplace.ts";
import { toMarketplace } from "../../scripts/marketplace/marketplace.ts";
import { waitUntilVisible } from "../../scripts/marketplace/wait-until-visible.ts";
import { startLocalCron } from "../../scripts/start/local-cron.ts";
import { developmentKey, portIsFree, startWorkers, waitUntilReady } from "../../scripts/start/serve.ts";
import { progressText } from "../../scripts/terminal/progress-line.ts";
import type { BenchContext } from "../context.ts";
import { type GeneratedMarket, generateMarket } from "../data/market.ts";
import { endProcess, processorSeconds, trackChild } from "./processes.ts";
import { findWorkerd, type Workerd } from "./workerd.ts";

/** All workers over a generated catalogue. */
export interface ServedCatalog {
  /** Where to send requests: workerd itself, or the development proxy where workerd is not found. */
  url: string;
  /** The workerd behind the proxy; null where it is not found. */
  workerd: Workerd | null;
  market: GeneratedMarket;
  /** Milliseconds from the start of the processes, which bundle the workers first, until the door answered. */
  startMs: number;
  stop(): Promise<void>;
}

/** Seconds between two reports of the import. */
const reportSeconds = 10;

/** The workers are quiet when they take less than this share of a processor for this long; waited for so long at most. */
const idle = { share: 0.1, seconds: 2, maxSeconds: 180 };

/**
 * Waits until the workers have done what was due: after a start on a state of long ago the alarms of all its people,
 * after an import the publishing of its cells. That is no part of any figure.
 */
async function waitUntilIdle(pid: number, say: (line: string) => void): Promise<void> {
  const give = Date.now() + idle.maxSeconds * 1000;
  for (let before = processorSeconds(pid); Date.now() < give; ) {
    await sleep(idle.seconds * 1000);
    const now = processorSeconds(pid);
    if (!(now - before > idle.share * idle.seconds)) return;
    before = now;
  }
  say("the workers did not come to rest");
}

/** When the market of a state ends (seconds since the epoch): a state that is used again holds the same. */
function readMarketTime(marker: string): number | null {
  return existsSync(marker) ? JSON.parse(readFileSync(marker, "utf8")).now : null;
}

/** Serves all workers and loads the catalogue through the public API, unless the state holds it from before. */
export async function serveCatalog(context: BenchContext): Promise<ServedCatalog> {
  const { port, stateDir, products } = context.options;
  if (!(await portIsFree(port))) throw new Error(`Port ${port} is in use; choose another one by PORT.`);
  mkdirSync(stateDir, { recursive: true });
  const marker = join(stateDir, "bench.json");
  const known = readMarketTime(marker);
  const now = known ?? Math.floor(Date.now() / 1000);
  const market = generateMarket(products, now);
  context.log(`workers, state in ${stateDir}`);
  await migrateLocalDatabases(stateDir);
  let child: ChildProcess | null = null;
  const spawned = performance.now();
  const { url } = await startWorkers(port, stateDir, (started) => {
    child = started;
    trackChild(started);
  });
  const startMs = performance.now() - spawned;
  const target = { url, key: developmentKey };
  if (known === null) {
    const marketplace = toMarketplace(market.dataset, 0);
    context.log(`import of ${products.toLocaleString("en")} products`);
    let reported = Date.now();
    const report = await loadMarketplace(marketplace, target, (step, done, total) => {
      if (Date.now() - reported < reportSeconds * 1000) return;
      reported = Date.now();
      context.log(`import: ${step} ${progressText(done, total)}`);
    });
    const refused = report.products.rejected + report.events.rejected;
    if (refused > 0) throw new Error(`${refused} rows of the catalogue were refused.`);
    await waitUntilVisible(target, marketplace.products);
    writeFileSync(marker, JSON.stringify({ now }));
  }
  const rest = startLocalCron(url);
  await waitUntilReady(url, 180, () => undefined);
  rest();
  const started = child as ChildProcess | null;
  const workerd = started && (await findWorkerd(started, port, "/healthz"));
  if (workerd) await waitUntilIdle(workerd.pid, (line) => context.addNote(`workers: ${line}`));
  context.addNote(
    workerd
      ? `workers: requests went to workerd at ${workerd.url}, not through the development proxy`
      : "workers: workerd was not found behind the development proxy, whose time is in all figures of the workers",
  );
  return {
    url: workerd?.url ?? url,
    workerd,
    market,
    startMs,
    stop: async () => {
      if (started) await endProcess(started);
    },
  };
}
