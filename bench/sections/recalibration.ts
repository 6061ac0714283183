import { setTimeout as sleep } from "node:timers/promises";
import { processorSeconds } from "../../scripts/processes/processor-seconds.ts";
import { developmentKey } from "../../scripts/start/development-key.ts";
import type { RecalibrationRecord } from "../../shared/contracts/recalibration.ts";
import type { BenchContext } from "../context.ts";
import { sampleRequestOrigins } from "../data/generated-market.ts";
import { singleMeasurement, summarizeTimes } from "../figure.ts";
import { isolateMegabytes, measureMemory, totalMegabytes } from "../workers/inspector.ts";
import {
  isUnfinished,
  pollRecalibration,
  recalibrationText,
  startRecalibration,
  stepKind,
} from "../workers/recalibrations.ts";
import { runLoad } from "../workers/run-load.ts";
import type { ServedCatalog } from "../workers/serve-catalog.ts";

/** Seconds of processor time that Cloudflare allows for a Workflow step. */
const maxStepSeconds = 30;
/** Milliseconds between two memory samples. */
const memoryIntervalMs = 400;
const originCount = 20_000;
/**
 * Kinds of steps during which recommendations are requested. For a kind with many steps, the first steps run without
 * load and show the cost of a step alone. For a kind with one step, the cost includes that of the recommendations.
 */
const kindsUnderLoad = ["collect", "train", "calibrate", "evaluate", "gate"];
const maxStepsBeforeLoad = 3;
/** Largest allowed factor between the p99 of recommendations with and without a recalibration. */
const maxFactor = 3;

/** Processor time and duration of one step. */
interface StepCost {
  kind: string;
  processorSeconds: number;
  seconds: number;
  /** Whether recommendations were requested during the step. */
  loaded: boolean;
}

/**
 * Returns how many steps of the record's kind run before the load starts: half of them (`train 3 of 20`), at most
 * three, and none of a kind whose number of steps is unknown.
 */
const stepsBeforeLoad = ({ step }: RecalibrationRecord): number =>
  Math.min(maxStepsBeforeLoad, Math.floor(Number(step.match(/ of (\d+)$/)?.[1] ?? 0) / 2));

/** Measures a recalibration from a large training log: the cost of each step, and its effect on recommendations. */
export async function measureRecalibration(context: BenchContext, served: ServedCatalog): Promise<void> {
  const { url, workerd, market } = served;
  const { seconds, products } = context.options;
  if (!workerd) {
    context.addNote(
      "recalibration: skipped, since workerd was not found and its processor time cannot be read",
    );
    return;
  }
  const section = "recalibration";
  const origins = sampleRequestOrigins(market, originCount, 7);
  const requestRecommendations = async (onTime?: (ms: number) => void): Promise<number[]> => {
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
          const { userId, point } = origins[request % origins.length];
          return JSON.stringify({ userId, location: point, limit: 10, candidates: 500 });
        },
      },
      developmentKey,
    );
    if (failed > 0) context.addNote(`recalibration: ${failed} recommendations failed`);
    return times;
  };
  context.log("measuring recommendations without a recalibration");
  await requestRecommendations();
  const timesAlone = summarizeTimes(await requestRecommendations());

  const inspector = workerd.inspectors.get("vicinity-trainer");
  const memory = () => (inspector ? measureMemory(inspector).catch(() => null) : Promise.resolve(null));
  const before = await memory();
  const started = performance.now();
  let record = await startRecalibration(url);
  const maxMegabytes = new Map<string, number>();
  let finished = false;
  const sampling = (async () => {
    for (; !finished; await sleep(memoryIntervalMs)) {
      const kind = stepKind(record);
      const used = await memory();
      if (used) maxMegabytes.set(kind, Math.max(maxMegabytes.get(kind) ?? 0, totalMegabytes(used)));
    }
  })();
  const costs: StepCost[] = [];
  const loadedKinds = new Set<string>();
  const timesByKind = new Map<string, number[]>();
  /** Records the time of a recommendation under the kind of step that runs when the answer arrives. */
  const recordTime = (ms: number): void => {
    if (!isUnfinished(record)) return;
    const kind = stepKind(record);
    const times = timesByKind.get(kind);
    if (times) times.push(ms);
    else timesByKind.set(kind, [ms]);
  };
  const loads: Promise<unknown>[] = [];
  let runningLoads = 0;
  let stepStart = { processor: processorSeconds(workerd.pid), at: performance.now(), loaded: false };
  for await (const next of pollRecalibration(url, record, context)) {
    stepStart.loaded ||= runningLoads > 0;
    if (next.step !== record.step || !isUnfinished(next)) {
      const now = {
        processor: processorSeconds(workerd.pid),
        at: performance.now(),
        loaded: runningLoads > 0,
      };
      costs.push({
        kind: stepKind(record),
        processorSeconds: now.processor - stepStart.processor,
        seconds: (now.at - stepStart.at) / 1000,
        loaded: stepStart.loaded,
      });
      stepStart = now;
      if (stepKind(next) !== stepKind(record)) context.log(next.step);
    }
    record = next;
    const kind = stepKind(record);
    const doneSteps = costs.filter((cost) => cost.kind === kind).length;
    if (
      !isUnfinished(record) ||
      !kindsUnderLoad.includes(kind) ||
      loadedKinds.has(kind) ||
      runningLoads > 0 ||
      doneSteps < stepsBeforeLoad(record)
    )
      continue;
    context.log(`requesting recommendations during ${record.step}`);
    loadedKinds.add(kind);
    runningLoads++;
    const load = requestRecommendations(recordTime).finally(() => {
      runningLoads--;
    });
    loads.push(load);
  }
  finished = true;
  await sampling;
  await Promise.all(loads);
  const minutes = (performance.now() - started) / 60_000;
  context.addNote(
    `recalibration: ${recalibrationText(record, context)}, ${costs.length} steps in ${minutes.toFixed(1)} minutes`,
  );
  for (const kind of new Set(costs.map((cost) => cost.kind))) {
    const costsOfKind = costs.filter((cost) => cost.kind === kind);
    const unloaded = costsOfKind.filter(({ loaded }) => !loaded);
    if (kind === "queued") continue;
    const reported = unloaded.length > 0 ? unloaded : costsOfKind;
    const withLoad = unloaded.length > 0 ? "" : " and recommendations";
    const processor = summarizeTimes(reported.map((cost) => 1000 * cost.processorSeconds));
    const longest = 1000 * Math.max(...reported.map((cost) => cost.processorSeconds));
    context.figures.push(
      {
        section,
        name: `step ${kind}, processor time of all workers${withLoad}`,
        unit: "ms",
        ...processor,
        baseline: {
          label: "wall-clock time",
          value: summarizeTimes(reported.map((cost) => 1000 * cost.seconds)).p50,
        },
        limit: { label: "allowed for a step", value: 1000 * maxStepSeconds },
      },
      {
        section,
        name: `step ${kind}, longest`,
        unit: "ms",
        ...singleMeasurement(longest),
        baseline: null,
        limit: { label: "allowed for a step", value: 1000 * maxStepSeconds },
      },
    );
  }
  for (const [kind, megabytes] of maxMegabytes)
    context.figures.push({
      section,
      name: `maximum memory of the trainer including garbage, ${kind}`,
      unit: "MB",
      ...singleMeasurement(megabytes),
      baseline: before && { label: "before the recalibration", value: totalMegabytes(before) },
      limit: { label: "allowed for an isolate", value: isolateMegabytes.limit },
    });
  const loadText = `${products.toLocaleString("en")} products, 1 connection`;
  context.figures.push({
    ...{ section, name: `recommendations without a recalibration, ${loadText}`, unit: "ms" },
    ...timesAlone,
    ...{ baseline: null, limit: null },
  });
  // The local workerd runs all workers on one thread, so the trainer and the recommendations share one core.
  for (const [during, times] of [
    ...timesByKind,
    ["the whole recalibration", [...timesByKind.values()].flat()] as const,
  ])
    context.figures.push({
      section,
      name: `recommendations during ${during}, ${loadText}`,
      unit: "ms",
      ...summarizeTimes(times),
      baseline: { label: "p99 without a recalibration", value: timesAlone.p99 },
      limit: {
        label: `${maxFactor} x p99 without a recalibration, for p99`,
        value: maxFactor * timesAlone.p99,
      },
    });
}
