import { type Measurement, maxPerLoad, measurementGroups } from "../../beside/measurements.ts";
import type { Recommender } from "../../beside/recommender.ts";
import { vicinity } from "../../beside/vicinity.ts";
import type { BenchContext } from "../../context.ts";
import { meanOnly, type Reference, singleMeasurement } from "../../figure.ts";
import { measureLoad } from "../../load/measure-load.ts";
import { treeUsage } from "../../load/process-tree.ts";
import { measureOnnx } from "../../onnx/measure-onnx.ts";
import type { StartedDemo } from "./started-demo.ts";

/** Name of the section in the report. */
export const section = "as-started";
/** Products that the model ranks. */
const candidateCounts = [500, 100];
/** Resident memory of workerd with the demo should stay below. */
const targetMegabytes = 700;

/** How long the loads last. */
export interface LoadLengths {
  /** Seconds of each load. */
  seconds: number;
  /** Seconds of lists before all loads, in which code is compiled and tiles are read. */
  warmUpSeconds: number;
}

/** Seconds at most that are waited after each load until the server has no more work. */
const maxWorkAfter = 10;

/** Runs one load. Failed answers are noted. */
async function runMeasurement(
  context: BenchContext,
  { server, url, sources }: StartedDemo,
  seconds: number,
  measurement: Measurement,
  recommender: Recommender,
) {
  const load = {
    url,
    connections: measurement.connections,
    maxRequests: maxPerLoad(measurement),
    next: (n: number) => measurement.request(recommender, sources, n),
  };
  const figures = await measureLoad({ ...load, seconds }, server.pid, maxWorkAfter);
  if (figures.failed > 0)
    context.addNote(
      `${section}: ${figures.failed} failed beside ${figures.times.n} good answers (${measurement.name}): ${figures.failures.join("; ")}`,
    );
  return figures;
}

/** Measures lists and events, under what else the machine does now, beside an empty request and the bare ONNX run. */
export async function measureLoads(
  context: BenchContext,
  demo: StartedDemo,
  { seconds, warmUpSeconds }: LoadLengths,
  condition: string,
): Promise<void> {
  const { figures } = context;
  const own = vicinity(candidateCounts[0]);
  context.log(`warming up${condition}`);
  const { lists, single, world, city } = measurementGroups;
  const eventLoads = [...single, ...world, ...city];
  await runMeasurement(context, demo, warmUpSeconds, lists[1], own);
  for (const measurement of eventLoads) await runMeasurement(context, demo, 1, measurement, own);
  const [health] = measurementGroups.health;
  const empty = await runMeasurement(context, demo, seconds, health, own);
  const baseline: Reference = { label: "GET /healthz", value: empty.times.p50 };
  const processorBaseline: Reference = { label: "GET /healthz", value: empty.processorMs };
  figures.push({
    section,
    name: `empty GET /healthz, 1 connection${condition}`,
    unit: "ms",
    ...empty.times,
    baseline: null,
    limit: null,
  });
  for (const candidates of candidateCounts) {
    const limit = await measureOnnx(candidates);
    for (const measurement of lists) {
      const name = `${measurement.name}, ${candidates} ranked${condition}`;
      context.log(name);
      const { times, rate, processorMs } = await runMeasurement(
        context,
        demo,
        seconds,
        measurement,
        vicinity(candidates),
      );
      figures.push(
        { section, name, unit: "ms", ...times, baseline, limit },
        {
          section,
          name: `${name}, throughput`,
          unit: "per s",
          ...singleMeasurement(rate),
          baseline: { label: "GET /healthz", value: empty.rate },
          limit: { label: "one core that only runs ONNX", value: 1000 / limit.value },
        },
        {
          section,
          name: `${name}, processor time of all processes an answer`,
          unit: "ms",
          ...meanOnly(processorMs, times.n),
          baseline: processorBaseline,
          limit,
        },
      );
    }
  }
  for (const measurement of eventLoads) {
    const name = `${measurement.name}${condition}`;
    context.log(name);
    const { times, rate, processorMs, workAfter } = await runMeasurement(
      context,
      demo,
      seconds,
      measurement,
      own,
    );
    figures.push(
      { section, name, unit: "ms", ...times, baseline, limit: null },
      {
        section,
        name: `${name}, events`,
        unit: "per s",
        ...singleMeasurement(rate * measurement.events),
        baseline: null,
        limit: null,
      },
      {
        section,
        name: `${name}, processor time of all processes an event`,
        unit: "ms",
        ...meanOnly(processorMs / measurement.events, times.n),
        baseline: processorBaseline,
        limit: null,
      },
      {
        section,
        name: `${name}, work after the last answer`,
        unit: "ms",
        ...singleMeasurement(1000 * workAfter),
        baseline: null,
        limit: null,
      },
    );
  }
  const all = treeUsage(demo.server.pid);
  const runtime = treeUsage(demo.server.pid, "workerd");
  const memory = { section, unit: "MB", baseline: null } as const;
  figures.push(
    {
      ...memory,
      name: `resident memory of workerd${condition}`,
      ...singleMeasurement(runtime.residentMegabytes),
      limit: { label: "target", value: targetMegabytes },
    },
    {
      ...memory,
      name: `resident memory of all ${all.processes} processes${condition}`,
      ...singleMeasurement(all.residentMegabytes),
      limit: null,
    },
  );
}
