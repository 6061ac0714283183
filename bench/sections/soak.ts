import { readFileSync } from "node:fs";
import { Random } from "../../model/train/random.ts";
import { developmentKey } from "../../scripts/start/development-key.ts";
import type { BenchContext } from "../context.ts";
import { sampleRequestOrigins } from "../data/generated-market.ts";
import { type Reference, singleMeasurement, summarizeTimes } from "../figure.ts";
import {
  type IsolateMemory,
  isolateMegabytes,
  measureLiveMemory,
  measureMemory,
  totalMegabytes,
} from "../workers/inspector.ts";
import { residentMegabytes } from "../workers/processes.ts";
import { runLoad } from "../workers/run-load.ts";
import type { ServedCatalog } from "../workers/serve-catalog.ts";
import { webAssemblyMegabytes } from "../workers/webassembly-memory.ts";

const connections = 2;
const originCount = 50_000;
const candidates = 500;
const limit = 10;
/** Number of memory samples in a run, and the minimum time between two of them. */
const sampleCount = 40;
const minIntervalSeconds = 2;
/** The only worker that runs WebAssembly: the process's memory of WebAssembly is its. */
const webAssemblyWorker = "vicinity-recommendation";

/** Share of requests from a random point of the world, where no user of the market has been. */
const randomPointShare = 0.2;

/** Returns a random point on land or sea. */
const randomPoint = (random: Random) => ({
  lat: Math.round(1e5 * (random.next() * 150 - 65)) / 1e5,
  lon: Math.round(1e5 * (random.next() * 360 - 180)) / 1e5,
});

/** Measures the isolates' memory under requests from all over the world, for `--seconds`. */
export async function measureSoak(
  context: BenchContext,
  { url, workerd, market }: ServedCatalog,
): Promise<void> {
  if (!workerd) {
    context.addNote("soak: skipped, since workerd was not found and its memory cannot be read");
    return;
  }
  const { seconds } = context.options;
  const random = new Random(7);
  const origins = sampleRequestOrigins(market, originCount, 7).map((origin) =>
    random.next() < randomPointShare ? { ...origin, point: randomPoint(random) } : origin,
  );
  const memoryByWorker = new Map<string, IsolateMemory[]>();
  const resident: number[] = [];
  let webAssembly = 0;
  let finished = false;
  const sampling = (async () => {
    const intervalMs = Math.max(minIntervalSeconds, seconds / sampleCount) * 1000;
    while (!finished) {
      for (const [worker, inspector] of workerd.inspectors) {
        const used = await measureMemory(inspector).catch(() => null);
        if (used) memoryByWorker.set(worker, [...(memoryByWorker.get(worker) ?? []), used]);
      }
      resident.push(residentMegabytes(workerd.pid));
      // A memory of WebAssembly never shrinks.
      webAssembly = Math.max(
        webAssembly,
        webAssemblyMegabytes(readFileSync(`/proc/${workerd.pid}/maps`, "utf8")),
      );
      await new Promise((resolve) => setTimeout(resolve, intervalMs));
    }
  })();
  const outcome = await runLoad(
    {
      url,
      method: "POST",
      path: "/v1/recommendations",
      connections,
      seconds,
      expectedStatus: 200,
      body(request) {
        const { userId, point } = origins[request % origins.length];
        return JSON.stringify({ userId, location: point, limit, candidates });
      },
    },
    developmentKey,
  );
  finished = true;
  await sampling;
  context.addNote(
    `soak: ${outcome.times.length.toLocaleString("en")} answers in ${Math.round(outcome.seconds)} s, ${outcome.failed} failed${outcome.failures.map((failure) => `; ${failure}`).join("")}`,
  );
  const add = (name: string, values: readonly number[], limit: Reference | null = null) => {
    const half = Math.floor(values.length / 2);
    context.figures.push({
      section: "soak",
      name,
      unit: "MB",
      ...summarizeTimes(values),
      baseline: { label: "mean of the first half", value: mean(values.slice(0, half)) },
      limit,
    });
    context.addNote(`soak: ${name}, mean of the second half ${mean(values.slice(half)).toFixed(1)} MB`);
  };
  for (const [worker, values] of memoryByWorker) {
    add(
      `heap of ${worker}`,
      values.map(({ heap }) => heap),
    );
    add(
      `buffers of ${worker}`,
      values.map(({ buffers }) => buffers),
    );
    const outsideHeap = worker === webAssemblyWorker ? webAssembly : 0;
    add(
      `memory of ${worker}: heap, buffers and WebAssembly`,
      values.map((value) => totalMegabytes(value) + outsideHeap),
      { label: "target for p99", value: isolateMegabytes.p99 },
    );
  }
  context.addNote(`soak: WebAssembly of ${webAssemblyWorker} ${webAssembly.toFixed(1)} MB`);
  add("resident memory of the process", resident);
  for (const [worker, inspector] of workerd.inspectors) {
    const live = await measureLiveMemory(inspector).catch(() => null);
    if (!live) continue;
    context.figures.push({
      section: "soak",
      name: `live memory of ${worker} at the end`,
      unit: "MB",
      ...singleMeasurement(totalMegabytes(live)),
      baseline: { label: "buffers alone", value: live.buffers },
      limit: { label: "target for an isolate", value: isolateMegabytes.target },
    });
  }
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, each) => sum + each, 0) / Math.max(1, values.length);
