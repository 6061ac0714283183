import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { demoMarketplace } from "../../../scripts/marketplace/read-marketplace.ts";
import { freePort } from "../../../scripts/start/free-port.ts";
import { root } from "../../../scripts/workers.ts";
import { sourcesOf } from "../../beside/request-sources.ts";
import { vicinity } from "../../beside/vicinity.ts";
import type { BenchContext } from "../../context.ts";
import { singleMeasurement, summarizeTimes } from "../../figure.ts";
import { BusyProcesses } from "../../load/busy-processes.ts";
import { treeUsage } from "../../load/process-tree.ts";
import { type LoadRequest, statusFailure } from "../../load/requests.ts";
import { StartedServer } from "../../load/started-server.ts";
import { waitUntilIdle } from "../../load/wait-until-idle.ts";
import { measureLoads, type Started, section } from "./measure-loads.ts";

/** State of the server, on disk. It is made anew by each run. */
const stateDir = join(root, ".wrangler", "bench-as-started");
/** Processes that use a core each beside the second half of the measurements. */
const busyCount = 2;
const items = 10;

/** How long things last: in full if the section was asked for by its name, else short. */
const full = { warmUpSeconds: 15, restarts: 3, idle: { wait: 60, seconds: 60 } };
const short = { seconds: 2, warmUpSeconds: 4, restarts: 1, idle: { wait: 20, seconds: 20 } };

/** Returns a request that has a good answer once everything is ready, the import of the demo included. */
const readyRequest = (): LoadRequest => ({
  method: "GET",
  path: "/readyz",
  headers: {},
  failure: (status, text) => statusFailure(200, status, text),
});

/** Measures what `npm start` serves, with its state on disk and the demo's data: alone, then with busy processes beside. */
export async function measureAsStarted(context: BenchContext): Promise<void> {
  context.releaseMarket();
  const { named } = context.options;
  const { warmUpSeconds, restarts, idle } = named ? full : short;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const command = `cd "${root}" && exec "${process.execPath}" scripts/start.ts`;
  const server = new StartedServer(command, url, { ...process.env, PORT: String(port), STATE_DIR: stateDir });
  const addTimes = (name: string, ms: number[]): void => {
    context.figures.push({ section, name, unit: "ms", ...summarizeTimes(ms), baseline: null, limit: null });
  };
  const becomeIdle = () =>
    waitUntilIdle(server.pid, (line) => context.addNote(`${section}: the server was ${line}`));
  rmSync(stateDir, { recursive: true, force: true });
  try {
    context.log("npm start with an empty state");
    addTimes("first start until everything is ready, with the demo's import", [
      await server.start(readyRequest),
    ]);
    await becomeIdle();
    const started: Started = {
      server,
      url,
      sources: sourcesOf(
        demoMarketplace(Date.now() / 1000).marketplace,
        `as-started-${Date.now().toString(36)}`,
        items,
      ),
      seconds: named ? context.options.seconds : short.seconds,
      warmUpSeconds,
    };
    await measureLoads(context, started, "");
    context.log(`no requests for ${idle.wait} s, then measuring ${idle.seconds} s`);
    await sleep(idle.wait * 1000);
    const before = treeUsage(server.pid).processorSeconds;
    await sleep(idle.seconds * 1000);
    context.figures.push({
      section,
      name: `share of a core without requests, ${idle.wait} s after the last event`,
      unit: "share",
      ...singleMeasurement((treeUsage(server.pid).processorSeconds - before) / idle.seconds),
      baseline: null,
      limit: null,
    });
    const [visit] = started.sources.visits;
    const restart = async (count: number, condition: string): Promise<void> => {
      const times: number[] = [];
      for (let each = 0; each < count; each++) {
        context.log(`kill and restart${condition}`);
        await server.kill();
        times.push(await server.start(() => vicinity(500).list({ ...visit, items })));
        await becomeIdle();
      }
      addTimes(`restart after a kill until the first list${condition}`, times);
    };
    await restart(restarts, "");
    const condition = `, ${busyCount} busy processes beside`;
    const busy = new BusyProcesses(busyCount);
    try {
      await measureLoads(context, started, condition);
      await restart(restarts, condition);
    } finally {
      busy.stop();
    }
  } finally {
    await server.stop();
    rmSync(stateDir, { recursive: true, force: true });
  }
}
