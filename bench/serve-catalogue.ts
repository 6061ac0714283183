import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "../scripts/load.ts";
import { marketplaceOf } from "../scripts/marketplace.ts";
import { migrate } from "../scripts/migrate.ts";
import { developmentKey, portIsFree, serve, waitUntilReady } from "../scripts/serve.ts";
import { share } from "../scripts/terminal.ts";
import { waitUntilVisible } from "../scripts/visible.ts";
import type { BenchContext } from "./context.ts";
import { type Market, marketOf } from "./market.ts";
import { end, remember } from "./processes.ts";
import { type Workerd, workerdBelow } from "./workerd.ts";

/** All workers over a generated catalogue. */
export interface ServedCatalogue {
  /** Where to send requests: workerd itself, or the development proxy where workerd is not found. */
  url: string;
  /** The workerd behind the proxy; null where it is not found. */
  workerd: Workerd | null;
  market: Market;
  stop(): Promise<void>;
}

/** Seconds between two reports of the import. */
const reportSeconds = 10;

/** When the market of a state ends (seconds since the epoch): a state that is used again holds the same. */
function timeOf(marker: string): number | null {
  return existsSync(marker) ? JSON.parse(readFileSync(marker, "utf8")).now : null;
}

/** Serves all workers and loads the catalogue through the public API, unless the state holds it from before. */
export async function serveCatalogue(context: BenchContext): Promise<ServedCatalogue> {
  const { port, stateDir, products } = context.options;
  if (!(await portIsFree(port))) throw new Error(`Port ${port} is in use; choose another one by PORT.`);
  mkdirSync(stateDir, { recursive: true });
  const marker = join(stateDir, "bench.json");
  const known = timeOf(marker);
  const now = known ?? Math.floor(Date.now() / 1000);
  const market = marketOf(products, now);
  context.say(`workers, state in ${stateDir}`);
  await migrate(stateDir);
  let child: ChildProcess | null = null;
  const { url } = await serve(port, stateDir, (started) => {
    child = started;
    remember(started);
  });
  const target = { url, key: developmentKey };
  if (known === null) {
    const marketplace = marketplaceOf(market.dataset, 0);
    context.say(`import of ${products.toLocaleString("en")} products`);
    let reported = Date.now();
    const report = await load(marketplace, target, (step, done, total) => {
      if (Date.now() - reported < reportSeconds * 1000) return;
      reported = Date.now();
      context.say(`import: ${step} ${share(done, total)}`);
    });
    const refused = report.products.rejected + report.events.rejected;
    if (refused > 0) throw new Error(`${refused} rows of the catalogue were refused.`);
    await waitUntilVisible(target, marketplace.products);
    writeFileSync(marker, JSON.stringify({ now }));
  }
  await waitUntilReady(url, 120, () => undefined);
  const started = child as ChildProcess | null;
  const workerd = started && (await workerdBelow(started, port, "/healthz"));
  context.note(
    workerd
      ? `workers: requests went to workerd at ${workerd.url}, not through the development proxy`
      : "workers: workerd was not found behind the development proxy, whose time is in all figures of the workers",
  );
  return {
    url: workerd?.url ?? url,
    workerd,
    market,
    stop: async () => {
      if (started) await end(started);
    },
  };
}
