import { setTimeout as sleep } from "node:timers/promises";
import { vicinity } from "../../beside/vicinity.ts";
import type { BenchContext } from "../../context.ts";
import { singleMeasurement, summarizeTimes } from "../../figure.ts";
import { BusyProcesses } from "../../load/busy-processes.ts";
import { treeUsage } from "../../load/process-tree.ts";
import { waitUntilIdle } from "../../load/wait-until-idle.ts";
import { measureLoads, section } from "./measure-loads.ts";
import { type StartedDemo, withStartedDemo } from "./started-demo.ts";

/** Processes that use a core each beside the second half of the measurements. */
const busyCount = 2;

/** How long things last: in full if the section was asked for by its name, else short. */
const full = { warmUpSeconds: 15, restarts: 3, idle: { wait: 60, seconds: 60 } };
const short = { warmUpSeconds: 4, restarts: 1, idle: { wait: 20, seconds: 20 } };
/** Seconds of each load in the short form. */
const shortSeconds = 2;

/** Measures what `npm start` serves, with its state on disk and the demo's data: alone, then with busy processes beside. */
export async function measureAsStarted(context: BenchContext): Promise<void> {
  context.releaseMarket();
  context.log("npm start with an empty state");
  await withStartedDemo((demo) => measureDemo(context, demo));
}

async function measureDemo(context: BenchContext, demo: StartedDemo): Promise<void> {
  const { server, sources } = demo;
  const { named, seconds } = context.options;
  const { warmUpSeconds, restarts, idle } = named ? full : short;
  const lengths = { seconds: named ? seconds : shortSeconds, warmUpSeconds };
  const addTimes = (name: string, ms: number[]): void => {
    context.figures.push({ section, name, unit: "ms", ...summarizeTimes(ms), baseline: null, limit: null });
  };
  const becomeIdle = () =>
    waitUntilIdle(server.pid, (line) => context.addNote(`${section}: the server was ${line}`));
  const measureRestarts = async (condition: string): Promise<void> => {
    const times: number[] = [];
    for (let each = 0; each < restarts; each++) {
      context.log(`kill and restart${condition}`);
      await server.kill();
      times.push(
        await server.start(() => vicinity(500).list({ ...sources.visits[0], items: sources.items })),
      );
      await becomeIdle();
    }
    addTimes(`restart after a kill until the first list${condition}`, times);
  };

  addTimes("first start until everything is ready, with the demo's import", [demo.firstStartMs]);
  await becomeIdle();
  await measureLoads(context, demo, lengths, "");
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
  await measureRestarts("");
  const condition = `, ${busyCount} busy processes beside`;
  const busy = new BusyProcesses(busyCount);
  try {
    await measureLoads(context, demo, lengths, condition);
    await measureRestarts(condition);
  } finally {
    busy.stop();
  }
}
