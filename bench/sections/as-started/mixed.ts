import { type Measurement, measurementGroups } from "../../beside/measurements.ts";
import { vicinity } from "../../beside/vicinity.ts";
import type { BenchContext } from "../../context.ts";
import { singleMeasurement, summarizeTimes } from "../../figure.ts";
import { BusyProcesses } from "../../load/busy-processes.ts";
import { type ClosedLoopResult, runClosedLoop } from "../../load/closed-loop.ts";
import { waitUntilIdle } from "../../load/wait-until-idle.ts";
import { type StartedDemo, withStartedDemo } from "./started-demo.ts";

const section = "mixed";
/** Processes that use a core each beside the load. */
const busyCount = 4;
const maxRequests = 1_000_000;
/** No request may take longer, in milliseconds. */
const slowest = { label: "target", value: 3000 };

/** What is sent at the same time, each by its own connections. */
const { health, lists, single, world } = measurementGroups;
const parts: { name: string; connections: number; measurement: Measurement }[] = [
  { name: "empty GET /healthz", connections: 1, measurement: health[0] },
  { name: "recommendation, 500 ranked", connections: 2, measurement: lists[0] },
  { name: "one event", connections: 1, measurement: single[0] },
  { name: "20 events all over the world", connections: 1, measurement: world[0] },
];

const allConnections = parts.reduce((sum, { connections }) => sum + connections, 0);

/**
 * Measures lists and events that are asked for and sent at the same time, with busy processes beside, for `--seconds`: the
 * slowest request is what counts.
 */
export async function measureMixed(context: BenchContext): Promise<void> {
  context.releaseMarket();
  context.log("npm start with an empty state");
  await withStartedDemo((demo) => measureDemo(context, demo));
}

async function measureDemo(context: BenchContext, { server, url, sources }: StartedDemo): Promise<void> {
  const { seconds } = context.options;
  const recommender = vicinity(500);
  await waitUntilIdle(server.pid, (line) => context.addNote(`${section}: the server was ${line}`));
  context.log(`mixed load with ${busyCount} busy processes for ${seconds} s`);
  const busy = new BusyProcesses(busyCount);
  let results: ClosedLoopResult[];
  try {
    results = await Promise.all(
      parts.map(({ connections, measurement }) =>
        runClosedLoop({
          url,
          connections,
          seconds,
          maxRequests,
          next: (n) => measurement.request(recommender, sources, n),
        }),
      ),
    );
  } finally {
    busy.stop();
  }
  results.forEach(({ times, failed, failures }, i) => {
    const { name, connections } = parts[i];
    const fullName = `${name}, ${connections} of ${allConnections} connections, ${busyCount} busy processes beside`;
    if (failed > 0)
      context.addNote(
        `${section}: ${failed} failed beside ${times.length} good answers (${name}): ${failures.join("; ")}`,
      );
    const base = { section, unit: "ms", baseline: null } as const;
    context.figures.push(
      { ...base, name: fullName, ...summarizeTimes(times), limit: null },
      {
        ...base,
        name: `${fullName}, slowest`,
        ...singleMeasurement(times.reduce((most, ms) => Math.max(most, ms), 0)),
        limit: slowest,
      },
    );
  });
}
