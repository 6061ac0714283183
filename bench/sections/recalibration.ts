import { setTimeout as sleep } from "node:timers/promises";
import { developmentKey } from "../../scripts/start/serve.ts";
import type { RecalibrationRecord } from "../../shared/contracts/recalibration.ts";
import type { BenchContext } from "../context.ts";
import { sampleRequestOrigins } from "../data/market.ts";
import { singleMeasurement, summarizeTimes } from "../figure.ts";
import { isolateMegabytes, measureMemory, totalMegabytes } from "../workers/inspector.ts";
import { processorSeconds } from "../workers/processes.ts";
import {
  isUnfinished,
  pollRecalibration,
  recalibrationText,
  startRecalibration,
  stepKind,
} from "../workers/recalibrations.ts";
import { runLoad } from "../workers/run-load.ts";
import type { ServedCatalog } from "../workers/serve-catalog.ts";

/** Seconds of a processor that the platform allows a step. */
const maxStepSeconds = 30;
/** How often the memory is looked at, in ms. */
const memoryIntervalMs = 400;
const visitCount = 20_000;
/**
 * While these are carried out people ask for recommendations. Of what has many steps the first ones pass before: they say
 * what a step costs by itself. What has one step is asked beside, and its cost is given with that of the answers.
 */
const stepsUnderLoad = ["collect", "train", "calibrate", "evaluate", "gate"];
const maxStepsBeforeLoad = 3;
/** A recommendation while the trainer works may take so many times the p99 without it. */
const maxFactor = 3;

/** What a step took. */
interface StepCost {
  kind: string;
  processorSeconds: number;
  seconds: number;
  /** Whether people asked meanwhile. */
  loaded: boolean;
}

/** Steps of the present kind that pass before people begin to ask: the half of `collect 3 of 20`, at most three. */
const stepsBeforeLoad = ({ step }: RecalibrationRecord): number =>
  Math.min(maxStepsBeforeLoad, Math.floor(Number(step.match(/ of (\d+)$/)?.[1] ?? 0) / 2));

/** A recalibration from a large log: what each step costs, and what it does to those who ask meanwhile. */
export async function measureRecalibration(context: BenchContext, served: ServedCatalog): Promise<void> {
  const { url, workerd, market } = served;
  const { seconds, products } = context.options;
  if (!workerd) {
    context.addNote("recalibration: workerd was not found, so its processor time cannot be seen");
    return;
  }
  const section = "recalibration";
  const visits = sampleRequestOrigins(market, visitCount, 7);
  const ask = async (onTime?: (ms: number) => void): Promise<number[]> => {
    const { times, failed } = await runLoad(
      {
        url,
        onTime,
        method: "POST",
        path: "/v1/recommendations",
        connections: 1,
        seconds,
        expectedStatus: 200,
        body(request) {
          const { userId, point } = visits[request % visits.length];
          return JSON.stringify({ userId, location: point, limit: 10, candidates: 500 });
        },
      },
      developmentKey,
    );
    if (failed > 0) context.addNote(`recalibration: ${failed} recommendations failed`);
    return times;
  };
  context.log("recommendations without it");
  await ask();
  const alone = summarizeTimes(await ask());

  const inspector = workerd.inspectors.get("vicinity-trainer");
  const memory = () => (inspector ? measureMemory(inspector).catch(() => null) : Promise.resolve(null));
  const before = await memory();
  const begun = performance.now();
  let record = await startRecalibration(url);
  const most = new Map<string, number>();
  let over = false;
  const looking = (async () => {
    for (; !over; await sleep(memoryIntervalMs)) {
      const kind = stepKind(record);
      const used = await memory();
      if (used) most.set(kind, Math.max(most.get(kind) ?? 0, totalMegabytes(used)));
    }
  })();
  const costs: StepCost[] = [];
  const asked = new Set<string>();
  const meanwhile = new Map<string, number[]>();
  /** What a recommendation took while a step of a kind was carried out, whoever began to ask during which. */
  const took = (ms: number): void => {
    if (!isUnfinished(record)) return;
    const kind = stepKind(record);
    const times = meanwhile.get(kind);
    if (times) times.push(ms);
    else meanwhile.set(kind, [ms]);
  };
  const loads: Promise<unknown>[] = [];
  let asking = 0;
  let mark = { processor: processorSeconds(workerd.pid), at: performance.now(), loaded: false };
  for await (const next of pollRecalibration(url, record, context)) {
    mark.loaded ||= asking > 0;
    if (next.step !== record.step || !isUnfinished(next)) {
      const now = { processor: processorSeconds(workerd.pid), at: performance.now(), loaded: asking > 0 };
      costs.push({
        kind: stepKind(record),
        processorSeconds: now.processor - mark.processor,
        seconds: (now.at - mark.at) / 1000,
        loaded: mark.loaded,
      });
      mark = now;
      if (stepKind(next) !== stepKind(record)) context.log(next.step);
    }
    record = next;
    const kind = stepKind(record);
    const done = costs.filter((cost) => cost.kind === kind).length;
    if (
      !isUnfinished(record) ||
      !stepsUnderLoad.includes(kind) ||
      asked.has(kind) ||
      asking > 0 ||
      done < stepsBeforeLoad(record)
    )
      continue;
    context.log(`recommendations meanwhile: ${record.step}`);
    asked.add(kind);
    asking++;
    const load = ask(took).finally(() => {
      asking--;
    });
    loads.push(load);
  }
  over = true;
  await looking;
  await Promise.all(loads);
  const minutes = (performance.now() - begun) / 60_000;
  context.addNote(
    `recalibration: ${recalibrationText(record, context)}, ${costs.length} steps in ${minutes.toFixed(1)} minutes`,
  );
  for (const kind of new Set(costs.map((cost) => cost.kind))) {
    const all = costs.filter((cost) => cost.kind === kind);
    const unloaded = all.filter(({ loaded }) => !loaded);
    if (kind === "queued") continue;
    const own = unloaded.length > 0 ? unloaded : all;
    const beside = unloaded.length > 0 ? "" : " and recommendations";
    const processor = summarizeTimes(own.map((cost) => 1000 * cost.processorSeconds));
    const longest = 1000 * Math.max(...own.map((cost) => cost.processorSeconds));
    context.figures.push(
      {
        section,
        name: `step ${kind}, processor time of all workers${beside}`,
        unit: "ms",
        ...processor,
        baseline: { label: "wall clock", value: summarizeTimes(own.map((cost) => 1000 * cost.seconds)).p50 },
        limit: { label: "a step may take", value: 1000 * maxStepSeconds },
      },
      {
        section,
        name: `step ${kind}, the longest`,
        unit: "ms",
        ...singleMeasurement(longest),
        baseline: null,
        limit: { label: "a step may take", value: 1000 * maxStepSeconds },
      },
    );
  }
  for (const [kind, megabytes] of most)
    context.figures.push({
      section,
      name: `most memory of the trainer with what is not collected, ${kind}`,
      unit: "MB",
      ...singleMeasurement(megabytes),
      baseline: before && { label: "before", value: totalMegabytes(before) },
      limit: { label: "an isolate may have", value: isolateMegabytes.allowed },
    });
  const one = `${products.toLocaleString("en")} products, 1 connection`;
  context.figures.push({
    ...{ section, name: `recommendations without it, ${one}`, unit: "ms" },
    ...alone,
    ...{ baseline: null, limit: null },
  });
  // workerd computes on one thread here: the trainer and who answers share one core.
  for (const [during, times] of [...meanwhile, ["all of it", [...meanwhile.values()].flat()] as const])
    context.figures.push({
      section,
      name: `recommendations during ${during}, ${one}`,
      unit: "ms",
      ...summarizeTimes(times),
      baseline: { label: "p99 without it", value: alone.p99 },
      limit: { label: `${maxFactor} x p99 without it: its p99 at most`, value: maxFactor * alone.p99 },
    });
}
