import { Random } from "../../model/train/random.ts";
import { developmentKey } from "../../scripts/start/serve.ts";
import type { BenchContext } from "../context.ts";
import { sampleRequestOrigins } from "../data/market.ts";
import { singleMeasurement, summarizeTimes } from "../figure.ts";
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

const connections = 2;
const visitCount = 50_000;
const candidates = 500;
const limit = 10;
/** Samples of the memory in a run, at least so many seconds apart. */
const samples = 40;
const minApartSeconds = 2;
/** Of five visits one is somewhere in the world where nobody of the marketplace ever was. */
const randomPointShare = 0.2;

/** Somewhere on land or sea. */
const randomPoint = (random: Random) => ({
  lat: Math.round(1e5 * (random.next() * 150 - 65)) / 1e5,
  lon: Math.round(1e5 * (random.next() * 360 - 180)) / 1e5,
});

/** Memory of the isolates while people all over the world ask, for as long as `--seconds` says. */
export async function measureSoak(
  context: BenchContext,
  { url, workerd, market }: ServedCatalog,
): Promise<void> {
  if (!workerd) {
    context.addNote("soak: workerd was not found, so its memory cannot be seen");
    return;
  }
  const { seconds } = context.options;
  const random = new Random(7);
  const visits = sampleRequestOrigins(market, visitCount, 7).map((visit) =>
    random.next() < randomPointShare ? { ...visit, point: randomPoint(random) } : visit,
  );
  const held = new Map<string, IsolateMemory[]>();
  const resident: number[] = [];
  let over = false;
  const sampling = (async () => {
    const apart = Math.max(minApartSeconds, seconds / samples) * 1000;
    while (!over) {
      for (const [worker, inspector] of workerd.inspectors) {
        const used = await measureMemory(inspector).catch(() => null);
        if (used) held.set(worker, [...(held.get(worker) ?? []), used]);
      }
      resident.push(residentMegabytes(workerd.pid));
      await new Promise((resolve) => setTimeout(resolve, apart));
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
        const { userId, point } = visits[request % visits.length];
        return JSON.stringify({ userId, location: point, limit, candidates });
      },
    },
    developmentKey,
  );
  over = true;
  await sampling;
  context.addNote(
    `soak: ${outcome.times.length.toLocaleString("en")} answers in ${Math.round(outcome.seconds)} s, ${outcome.failed} failed${outcome.failures.map((each) => `; ${each}`).join("")}`,
  );
  const add = (name: string, values: readonly number[]) => {
    const half = Math.floor(values.length / 2);
    context.figures.push({
      section: "soak",
      name,
      unit: "MB",
      ...summarizeTimes(values),
      baseline: { label: "mean of the first half", value: mean(values.slice(0, half)) },
      limit: null,
    });
    context.addNote(`soak: ${name}, mean of the second half ${mean(values.slice(half)).toFixed(1)} MB`);
  };
  for (const [worker, values] of held) {
    add(
      `heap of ${worker}`,
      values.map(({ heap }) => heap),
    );
    add(
      `buffers of ${worker}`,
      values.map(({ buffers }) => buffers),
    );
  }
  add("the whole process", resident);
  for (const [worker, inspector] of workerd.inspectors) {
    const alive = await measureLiveMemory(inspector).catch(() => null);
    if (!alive) continue;
    context.figures.push({
      section: "soak",
      name: `alive in ${worker} at the end`,
      unit: "MB",
      ...singleMeasurement(totalMegabytes(alive)),
      baseline: { label: "of it buffers", value: alive.buffers },
      limit: { label: "aimed at for an isolate", value: isolateMegabytes.aimed },
    });
  }
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, each) => sum + each, 0) / Math.max(1, values.length);
