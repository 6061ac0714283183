import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { developmentKey } from "../../scripts/serve.ts";
import {
  type RecalibrationRecord,
  recalibration as recalibrationRecord,
} from "../../workers/shared/contracts/recalibration.ts";
import type { BenchContext } from "../context.ts";
import { summaryOfOne, summaryOfTimes } from "../figure.ts";
import { memoryOf } from "../inspector.ts";
import { load } from "../load.ts";
import { visitsOf } from "../market.ts";
import { processorSeconds } from "../processes.ts";
import type { ServedCatalogue } from "../serve-catalogue.ts";

/** What the platform allows a step: seconds of a processor, and MB of an isolate. */
const mostStepSeconds = 30;
const isolateMegabytes = 128;
/** How often it is asked where the recalibration is, and how often the memory is looked at, in ms. */
const askMs = 40;
const memoryMs = 400;
const visitCount = 20_000;
/**
 * While these are carried out people ask for recommendations. Of what has many steps the first ones pass before: they say
 * what a step costs by itself. What has one step is asked beside, and its cost is given with that of the answers.
 */
const loadedKinds = ["collect", "train", "calibrate", "evaluate", "gate"];
const mostPassed = 3;
/** A recommendation while the trainer works may take so many times the p99 without it. */
const mostFactor = 3;

/** What a step took. */
interface StepCost {
  kind: string;
  processorSeconds: number;
  seconds: number;
  /** Whether people asked meanwhile. */
  loaded: boolean;
}

/** `collect 3 of 20` is of the kind `collect`. */
const kindOf = ({ step }: RecalibrationRecord): string => step.split(" ")[0];
/** Steps of the present kind that pass before people begin to ask: the half of `collect 3 of 20`, at most three. */
const passedOf = ({ step }: RecalibrationRecord): number =>
  Math.min(mostPassed, Math.floor(Number(step.match(/ of (\d+)$/)?.[1] ?? 0) / 2));
const runs = ({ status }: RecalibrationRecord): boolean => status === "queued" || status === "running";

async function call(url: string, method: string, path: string, body?: object): Promise<unknown> {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${developmentKey}`, "content-type": "application/json" },
    body: body && JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** A recalibration from a large log: what each step costs, and what it does to those who ask meanwhile. */
export async function recalibration(context: BenchContext, served: ServedCatalogue): Promise<void> {
  const { url, workerd, market } = served;
  const { seconds, examples, rows, products } = context.options;
  if (!workerd) {
    context.note("recalibration: workerd was not found, so its processor time cannot be seen");
    return;
  }
  const section = "recalibration";
  const visits = visitsOf(market, visitCount, 7);
  const ask = async (onTime?: (ms: number) => void): Promise<number[]> => {
    const { times, failed } = await load(
      {
        url,
        onTime,
        method: "POST",
        path: "/v1/recommendations",
        connections: 1,
        seconds,
        status: 200,
        body(request) {
          const { userId, point } = visits[request % visits.length];
          return JSON.stringify({ userId, location: point, limit: 10, candidates: 500 });
        },
      },
      developmentKey,
    );
    if (failed > 0) context.note(`recalibration: ${failed} recommendations failed`);
    return times;
  };
  context.say("recommendations without it");
  await ask();
  const alone = summaryOfTimes(await ask());

  const inspector = workerd.inspectors.get("vicinity-trainer");
  const memory = () => (inspector ? memoryOf(inspector).catch(() => null) : Promise.resolve(null));
  const before = await memory();
  const begun = performance.now();
  let record = recalibrationRecord.parse(await call(url, "POST", "/v1/recalibrations", {}));
  const most = new Map<string, number>();
  let over = false;
  const looking = (async () => {
    for (; !over; await sleep(memoryMs)) {
      const kind = kindOf(record);
      const used = await memory();
      if (!used || !before) continue;
      // Buffers are those of all isolates: what came since the beginning is taken for the trainer's.
      const own = used.heap + Math.max(0, used.buffers - before.buffers);
      most.set(kind, Math.max(most.get(kind) ?? 0, own));
    }
  })();
  const costs: StepCost[] = [];
  const asked = new Set<string>();
  const meanwhile = new Map<string, number[]>();
  /** What a recommendation took while a step of a kind was carried out, whoever began to ask during which. */
  const took = (ms: number): void => {
    if (!runs(record)) return;
    const kind = kindOf(record);
    const times = meanwhile.get(kind);
    if (times) times.push(ms);
    else meanwhile.set(kind, [ms]);
  };
  const loads: Promise<unknown>[] = [];
  let asking = 0;
  let mark = { processor: processorSeconds(workerd.pid), at: performance.now(), loaded: false };
  for (; runs(record); await sleep(askMs)) {
    const next = recalibrationRecord.parse(await call(url, "GET", `/v1/recalibrations/${record.id}`));
    mark.loaded ||= asking > 0;
    if (next.step !== record.step || !runs(next)) {
      const now = { processor: processorSeconds(workerd.pid), at: performance.now(), loaded: asking > 0 };
      costs.push({
        kind: kindOf(record),
        processorSeconds: now.processor - mark.processor,
        seconds: (now.at - mark.at) / 1000,
        loaded: mark.loaded,
      });
      mark = now;
      if (kindOf(next) !== kindOf(record)) context.say(next.step);
    }
    record = next;
    const kind = kindOf(record);
    const done = costs.filter((cost) => cost.kind === kind).length;
    if (!loadedKinds.includes(kind) || asked.has(kind) || asking > 0 || done < passedOf(record)) continue;
    context.say(`recommendations meanwhile: ${record.step}`);
    asked.add(kind);
    asking++;
    const load = ask(took).finally(() => {
      asking--;
    });
    loads.push(load);
  }
  over = true;
  // A candidate in the shadow would cost later figures of this state.
  if (record.version !== null)
    await call(url, "POST", `/v1/models/${record.version}/rollback`).catch((error: unknown) =>
      context.note(`recalibration: its candidate was not taken back: ${error}`),
    );
  await looking;
  await Promise.all(loads);
  const minutes = (performance.now() - begun) / 60_000;
  const { lists } = z.object({ lists: z.number().default(0) }).parse(record.figures);
  context.note(
    `recalibration: log of ${examples.toLocaleString("en")} examples of ${rows} rows, ${lists.toLocaleString("en")} lists learnt from, ${costs.length} steps, ended ${record.status} after ${minutes.toFixed(1)} minutes${record.reasons.map((reason) => `; ${reason}`).join("")}`,
  );
  for (const kind of new Set(costs.map((cost) => cost.kind))) {
    const all = costs.filter((cost) => cost.kind === kind);
    const unloaded = all.filter(({ loaded }) => !loaded);
    if (kind === "queued") continue;
    const own = unloaded.length > 0 ? unloaded : all;
    const beside = unloaded.length > 0 ? "" : " and recommendations";
    const processor = summaryOfTimes(own.map((cost) => 1000 * cost.processorSeconds));
    const longest = 1000 * Math.max(...own.map((cost) => cost.processorSeconds));
    context.figures.push(
      {
        section,
        name: `step ${kind}, processor time of all workers${beside}`,
        unit: "ms",
        ...processor,
        baseline: { what: "wall clock", value: summaryOfTimes(own.map((cost) => 1000 * cost.seconds)).p50 },
        limit: { what: "a step may take", value: 1000 * mostStepSeconds },
      },
      {
        section,
        name: `step ${kind}, the longest`,
        unit: "ms",
        ...summaryOfOne(longest),
        baseline: null,
        limit: { what: "a step may take", value: 1000 * mostStepSeconds },
      },
    );
  }
  for (const [kind, megabytes] of most)
    context.figures.push({
      section,
      name: `most memory of the trainer, ${kind}`,
      unit: "MB",
      ...summaryOfOne(megabytes),
      baseline: before && { what: "before", value: before.heap },
      limit: { what: "an isolate may have", value: isolateMegabytes },
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
      ...summaryOfTimes(times),
      baseline: { what: "p99 without it", value: alone.p99 },
      limit: { what: `${mostFactor} x p99 without it: its p99 at most`, value: mostFactor * alone.p99 },
    });
}
