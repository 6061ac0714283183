import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { processorSeconds } from "../../scripts/processes/processor-seconds.ts";
import { developmentKey } from "../../scripts/start/development-key.ts";
import type { RecommendationAnswer } from "../../shared/contracts/recommendation.ts";
import { distanceKm } from "../../shared/geo/distance.ts";
import type { BenchContext } from "../context.ts";
import { sampleRequestOrigins } from "../data/generated-market.ts";
import { meanOnly, singleMeasurement, summarizeRates, summarizeTimes } from "../figure.ts";
import {
  isolateMegabytes,
  measureLiveMemory,
  recordCpuProfile,
  totalMegabytes,
} from "../workers/inspector.ts";
import { residentMegabytes } from "../workers/processes.ts";
import { type LoadPlan, runLoad } from "../workers/run-load.ts";
import type { ServedCatalog } from "../workers/serve-catalog.ts";
import type { Workerd } from "../workers/workerd.ts";

/**
 * Loads to measure: connections, ranked candidates, and whether the users are from all over the world or from one
 * region, as a single edge location sees them.
 */
const loads = [
  { connections: 1, candidates: 500, regional: false },
  { connections: 16, candidates: 500, regional: false },
  { connections: 1, candidates: 100, regional: false },
  { connections: 1, candidates: 500, regional: true },
  { connections: 1, candidates: 100, regional: true },
] as const;
/** Without `--region`, the region lies around one user's past location. It has this radius in kilometers. */
const regionSeed = 3;
const regionKm = 300;
const originCount = 20_000;
/** Items of a recommendation. */
const limit = 10;
const warmUp = { connections: 4, seconds: 20 };
const healthSeconds = 3;
const profileSeconds = 10;

/** Returns the gateway's total milliseconds from a `server-timing` header; NaN if the header has none. */
const parseGatewayMs = (header: string | undefined): number =>
  Number(/gateway;dur=([\d.]+)/.exec(header ?? "")?.[1] ?? Number.NaN);

/** Collects the times that the workers report in their answers. */
class StageTimes {
  readonly #times = new Map<string, number[]>();
  readonly #candidates: number[] = [];

  add(body: string, headers: Record<string, string>): void {
    const answer = JSON.parse(body) as RecommendationAnswer;
    this.#candidates.push(answer.candidates ?? 0);
    for (const { name, ms } of answer.stages) this.#addTime(name, ms);
    this.#addTime("gateway, in total", parseGatewayMs(headers["server-timing"]));
  }

  #addTime(name: string, ms: number): void {
    const times = this.#times.get(name) ?? [];
    this.#times.set(name, times);
    times.push(ms);
  }

  get meanCandidates(): number {
    return this.#candidates.reduce((sum, each) => sum + each, 0) / Math.max(1, this.#candidates.length);
  }

  entries(): [string, number[]][] {
    return [...this.#times];
  }
}

/** Measures the live memory of each isolate after the load. */
async function measureIsolates({ figures }: BenchContext, { pid, inspectors }: Workerd): Promise<void> {
  const processMemory = { label: "resident memory of the process", value: residentMegabytes(pid) };
  for (const [worker, inspector] of inspectors)
    figures.push({
      section: "memory",
      name: `live memory of ${worker}`,
      unit: "MB",
      ...singleMeasurement(totalMegabytes(await measureLiveMemory(inspector))),
      baseline: processMemory,
      limit: { label: "target for an isolate", value: isolateMegabytes.target },
    });
}

/**
 * Measures the first recommendation of new isolates: no code is compiled, no tile is cached, no user's object is in
 * memory.
 */
async function measureFirstAnswer(url: string, body: string): Promise<{ ms: number; rankMs: number }> {
  const started = performance.now();
  const answer = await fetch(`${url}/v1/recommendations`, {
    method: "POST",
    headers: { authorization: `Bearer ${developmentKey}`, "content-type": "application/json" },
    body,
  });
  const { stages } = (await answer.json()) as RecommendationAnswer;
  const ms = performance.now() - started;
  return { ms, rankMs: stages.find(({ name }) => name === "rank")?.ms ?? Number.NaN };
}

/** Measures recommendations for random users at random locations, as a client sees them. */
export async function measureEndToEnd(
  context: BenchContext,
  { url, workerd, market, startMs }: ServedCatalog,
): Promise<void> {
  const { seconds, products, profiles } = context.options;
  const origins = sampleRequestOrigins(market, originCount, Date.now() % 2 ** 31);
  const center = context.options.region ?? sampleRequestOrigins(market, 1, regionSeed)[0].point;
  const region = origins.filter(
    ({ point }) => distanceKm(center.lat, center.lon, point.lat, point.lon) < regionKm,
  );
  const plan = (connections: number, duration: number, candidates = 500, from = origins): LoadPlan => ({
    url,
    method: "POST",
    path: "/v1/recommendations",
    connections,
    seconds: duration,
    expectedStatus: 200,
    body(request) {
      const { userId, point } = from[request % from.length];
      return JSON.stringify({ userId, location: point, limit, candidates });
    },
  });
  context.log("measuring the first recommendation");
  const first = await measureFirstAnswer(url, plan(1, 1).body?.(0) ?? "");
  context.log("warming up the workers");
  await runLoad(plan(warmUp.connections, warmUp.seconds), developmentKey);
  const catalog = `${products.toLocaleString("en")} products`;
  const onnx = await context.onnxReference();
  const section = "end-to-end";
  context.figures.push(
    {
      section,
      name: "start of the processes until the first response",
      unit: "ms",
      ...singleMeasurement(startMs),
      baseline: null,
      limit: null,
    },
    {
      section,
      name: "first recommendation after the start",
      unit: "ms",
      ...singleMeasurement(first.ms),
      baseline: { label: "its rank stage", value: first.rankMs },
      limit: onnx,
    },
  );
  for (const { connections, candidates, regional } of loads) {
    const unit = connections === 1 ? "connection" : "connections";
    const where = regional ? ", one region" : "";
    const name = `${catalog}, ${candidates} ranked, ${connections} ${unit}${where}`;
    context.log(name);
    const from = regional ? region : origins;
    if (regional) await runLoad(plan(warmUp.connections, warmUp.seconds, candidates, from), developmentKey);
    const gateway = await runLoad(
      {
        url,
        method: "GET",
        path: "/healthz",
        connections,
        seconds: healthSeconds,
        expectedStatus: 200,
      },
      developmentKey,
    );
    const stages = new StageTimes();
    const before = workerd ? processorSeconds(workerd.pid) : Number.NaN;
    const outcome = await runLoad(
      {
        ...plan(connections, seconds, candidates, from),
        onAnswer: (_request, status, body, headers) => {
          if (status === 200) stages.add(body, headers);
        },
      },
      developmentKey,
    );
    const spent = workerd ? processorSeconds(workerd.pid) - before : Number.NaN;
    if (outcome.failed > 0)
      context.addNote(
        `end-to-end: ${outcome.failed} requests failed (${name}): ${outcome.failures.join("; ")}`,
      );
    context.addNote(`end-to-end: ${Math.round(stages.meanCandidates)} candidates on average (${name})`);
    context.figures.push(
      {
        section,
        name,
        unit: "ms",
        ...summarizeTimes(outcome.times),
        baseline: { label: "GET /healthz", value: summarizeTimes(gateway.times).p50 },
        limit: onnx,
      },
      {
        section,
        name: `${name}, throughput`,
        unit: "per s",
        ...summarizeRates(outcome.rates),
        baseline: { label: "GET /healthz", value: summarizeRates(gateway.rates).p50 },
        limit: onnx && { label: "one core that only runs ONNX", value: 1000 / onnx.value },
      },
      {
        section,
        name: `${name}, processor time per answer`,
        unit: "ms",
        ...meanOnly((1000 * spent) / outcome.times.length, outcome.times.length),
        baseline: null,
        limit: onnx,
      },
    );
    if (connections > 1 || regional) continue;
    for (const [stage, times] of stages.entries())
      context.figures.push({
        section,
        name: `stage ${stage}, ${candidates} ranked, 1 connection`,
        unit: "ms",
        ...summarizeTimes(times),
        baseline: null,
        limit: onnx,
      });
  }
  const userCount = new Set(region.map(({ userId }) => userId)).size;
  context.addNote(
    `end-to-end: one region means ${userCount} users within ${regionKm} km of ${center.lat}, ${center.lon}`,
  );
  if (!workerd) return;
  await measureIsolates(context, workerd);
  if (profiles === null) return;
  context.log(`recording CPU profiles for ${profileSeconds} s`);
  mkdirSync(profiles, { recursive: true });
  const work = runLoad(plan(1, profileSeconds), developmentKey);
  await Promise.all(
    [...workerd.inspectors].map(async ([worker, inspector]) =>
      writeFileSync(join(profiles, `${worker}.cpuprofile`), await recordCpuProfile(inspector, work)),
    ),
  );
}
