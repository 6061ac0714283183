import { listDescendants } from "../../../scripts/processes/list-processes.ts";
import { type Measurement, measurementGroups } from "../../beside/measurements.ts";
import { vicinity } from "../../beside/vicinity.ts";
import type { BenchContext } from "../../context.ts";
import { singleMeasurement } from "../../figure.ts";
import { runClosedLoop } from "../../load/closed-loop.ts";
import { canCountSystemCalls, SystemCallCounter } from "../../load/system-calls.ts";
import { waitUntilIdle } from "../../load/wait-until-idle.ts";
import { waitForWorkAfter } from "../../load/work-after.ts";
import { type StartedDemo, withStartedDemo } from "./started-demo.ts";

const section = "writes";
const { lists, single, world, city } = measurementGroups;
/** The loads: each has 400 events or answers. */
const loads: { measurement: Measurement; requests: number }[] = [
  { measurement: lists[0], requests: 400 },
  { measurement: single[0], requests: 400 },
  { measurement: world[0], requests: 20 },
  { measurement: world[1], requests: 20 },
  { measurement: city[0], requests: 20 },
];
/** Seconds at most that a load may take, and that its work may take after it. */
const maxSeconds = 120;
const maxWorkAfter = 30;

/** Counts what is written to disk, and how often it is synchronized, for an answer and for an event. */
export async function measureWrites(context: BenchContext): Promise<void> {
  if (!canCountSystemCalls()) {
    context.addNote(`${section}: not measured, since strace is not installed`);
    return;
  }
  context.releaseMarket();
  context.log("npm start with an empty state");
  await withStartedDemo((demo) => measureDemo(context, demo));
}

async function measureDemo(context: BenchContext, { server, url, sources }: StartedDemo): Promise<void> {
  await waitUntilIdle(server.pid, (line) => context.addNote(`${section}: the server was ${line}`));
  const runtime = listDescendants(server.pid).find(({ name }) => name === "workerd");
  if (!runtime) throw new Error("No process of workerd was found below `npm start`.");
  let number = 0;
  for (const { measurement, requests } of loads) {
    context.log(`${measurement.name}, ${requests} requests`);
    const counter = await SystemCallCounter.attach(runtime.pid);
    const { times, failed, failures } = await runClosedLoop({
      url,
      connections: measurement.connections,
      seconds: maxSeconds,
      maxRequests: requests,
      next: () => measurement.request(vicinity(500), sources, number++),
    });
    await waitForWorkAfter(server.pid, maxWorkAfter);
    const calls = await counter.stop();
    if (failed > 0)
      context.addNote(`${section}: ${failed} failed (${measurement.name}): ${failures.join("; ")}`);
    const unitOf = measurement.events > 0 ? "an event" : "an answer";
    const count = times.length * Math.max(1, measurement.events);
    const figures = {
      "files synchronized": calls.fsync + calls.fdatasync,
      "writes to files": calls.pwrite64,
      "files opened": calls.openat,
      "files removed": calls.unlink,
    };
    for (const [name, total] of Object.entries(figures))
      context.figures.push({
        ...({ section, unit: "times", baseline: null, limit: null } as const),
        name: `${measurement.name}: ${name} ${unitOf}`,
        ...singleMeasurement(total / count),
      });
  }
}
