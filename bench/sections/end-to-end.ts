import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { developmentKey } from "../../scripts/start/serve.ts";
import type { RecommendationAnswer } from "../../shared/contracts/recommendation.ts";
import { distanceKm } from "../../shared/geo/distance.ts";
import type { BenchContext } from "../context.ts";
import { sampleRequestOrigins } from "../data/market.ts";
import { meanOnly, singleMeasurement, summarizeRates, summarizeTimes } from "../figure.ts";
import {
  isolateMegabytes,
  measureLiveMemory,
  recordCpuProfile,
  totalMegabytes,
} from "../workers/inspector.ts";
import { processorSeconds, residentMegabytes } from "../workers/processes.ts";
import { type LoadPlan, runLoad } from "../workers/run-load.ts";
import type { ServedCatalog } from "../workers/serve-catalog.ts";
import type { Workerd } from "../workers/workerd.ts";

/**
 * Connections, products that are ranked, and who asks: people all over the world, or those of one region, as an edge location
 * sees them.
 */
const loads = [
  { connections: 1, candidates: 500, regional: false },
  { connections: 16, candidates: 500, regional: false },
  { connections: 1, candidates: 100, regional: false },
  { connections: 1, candidates: 500, regional: true },
  { connections: 1, candidates: 100, regional: true },
] as const;
/** A region is around where somebody was, the same in every run of a market; its radius in km. */
const regionSeed = 3;
const regionKm = 300;
const visitCount = 20_000;
/** Items of an answer. */
const limit = 10;
const warmUp = { connections: 4, seconds: 20 };
const healthSeconds = 3;
const profileSeconds = 10;

/** Milliseconds of the gateway's whole work, out of the `server-timing` header; NaN where it is not there. */
const parseGatewayMs = (header: string | undefined): number =>
  Number(/gateway;dur=([\d.]+)/.exec(header ?? "")?.[1] ?? Number.NaN);

/** What the workers say of their own time. */
class StageTimes {
  readonly #times = new Map<string, number[]>();
  readonly #candidates: number[] = [];

  add(body: string, headers: Record<string, string>): void {
    const answer = JSON.parse(body) as RecommendationAnswer;
    this.#candidates.push(answer.candidates ?? 0);
    for (const { name, ms } of answer.stages) this.#addTime(name, ms);
    this.#addTime("gateway, all of it", parseGatewayMs(headers["server-timing"]));
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

/** What is alive in each isolate after the load. */
async function measureIsolates({ figures }: BenchContext, { pid, inspectors }: Workerd): Promise<void> {
  const whole = { label: "the whole process", value: residentMegabytes(pid) };
  for (const [worker, inspector] of inspectors)
    figures.push({
      section: "memory",
      name: `alive in ${worker}`,
      unit: "MB",
      ...singleMeasurement(totalMegabytes(await measureLiveMemory(inspector))),
      baseline: whole,
      limit: { label: "aimed at for an isolate", value: isolateMegabytes.aimed },
    });
}

/** The first recommendation of fresh isolates: nothing is compiled, no tile is read, no person awake. */
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

/** Recommendations for random people at random places, as a client sees them. */
export async function measureEndToEnd(
  context: BenchContext,
  { url, workerd, market, startMs }: ServedCatalog,
): Promise<void> {
  const { seconds, products, profiles } = context.options;
  const visits = sampleRequestOrigins(market, visitCount, Date.now() % 2 ** 31);
  const [{ point: center }] = sampleRequestOrigins(market, 1, regionSeed);
  const region = visits.filter(
    ({ point }) => distanceKm(center.lat, center.lon, point.lat, point.lon) < regionKm,
  );
  const plan = (width: number, lasting: number, candidates = 500, who = visits): LoadPlan => ({
    url,
    method: "POST",
    path: "/v1/recommendations",
    connections: width,
    seconds: lasting,
    expectedStatus: 200,
    body(request) {
      const { userId, point } = who[request % who.length];
      return JSON.stringify({ userId, location: point, limit, candidates });
    },
  });
  context.log("the first answer");
  const first = await measureFirstAnswer(url, plan(1, 1).body?.(0) ?? "");
  context.log("warming up");
  await runLoad(plan(warmUp.connections, warmUp.seconds), developmentKey);
  const catalog = `${products.toLocaleString("en")} products`;
  const onnx = await context.onnxReference();
  const section = "end-to-end";
  context.figures.push(
    {
      section,
      name: "from the start of the processes to an open door",
      unit: "ms",
      ...singleMeasurement(startMs),
      baseline: null,
      limit: null,
    },
    {
      section,
      name: "the first recommendation after it",
      unit: "ms",
      ...singleMeasurement(first.ms),
      baseline: { label: "of which its ONNX run", value: first.rankMs },
      limit: onnx,
    },
  );
  for (const { connections: width, candidates, regional } of loads) {
    const plural = width === 1 ? "connection" : "connections";
    const where = regional ? ", one region" : "";
    const name = `${catalog}, ${candidates} ranked, ${width} ${plural}${where}`;
    context.log(name);
    const who = regional ? region : visits;
    if (regional) await runLoad(plan(warmUp.connections, warmUp.seconds, candidates, who), developmentKey);
    const gateway = await runLoad(
      {
        url,
        method: "GET",
        path: "/healthz",
        connections: width,
        seconds: healthSeconds,
        expectedStatus: 200,
      },
      developmentKey,
    );
    const stages = new StageTimes();
    const before = workerd ? processorSeconds(workerd.pid) : Number.NaN;
    const outcome = await runLoad(
      {
        ...plan(width, seconds, candidates, who),
        onAnswer: (_request, status, body, headers) => {
          if (status === 200) stages.add(body, headers);
        },
      },
      developmentKey,
    );
    const spent = workerd ? processorSeconds(workerd.pid) - before : Number.NaN;
    if (outcome.failed > 0)
      context.addNote(
        `end-to-end: ${outcome.failed} requests failed with ${name}: ${outcome.failures.join("; ")}`,
      );
    context.addNote(`end-to-end: ${Math.round(stages.meanCandidates)} candidates on average with ${name}`);
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
        name: `${name}, answers`,
        unit: "per s",
        ...summarizeRates(outcome.rates),
        baseline: { label: "GET /healthz", value: summarizeRates(gateway.rates).p50 },
        limit: onnx && { label: "one core with nothing but ONNX", value: 1000 / onnx.value },
      },
      {
        section,
        name: `${name}, processor time of an answer`,
        unit: "ms",
        ...meanOnly((1000 * spent) / outcome.times.length, outcome.times.length),
        baseline: null,
        limit: onnx,
      },
    );
    if (width > 1 || regional) continue;
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
  const asking = new Set(region.map(({ userId }) => userId)).size;
  context.addNote(
    `end-to-end: one region is ${regionKm} km around ${center.lat}, ${center.lon}: ${asking} people`,
  );
  if (!workerd) return;
  await measureIsolates(context, workerd);
  if (profiles === null) return;
  context.log("profiling");
  mkdirSync(profiles, { recursive: true });
  const work = runLoad(plan(1, profileSeconds), developmentKey);
  await Promise.all(
    [...workerd.inspectors].map(async ([worker, inspector]) =>
      writeFileSync(join(profiles, `${worker}.cpuprofile`), await recordCpuProfile(inspector, work)),
    ),
  );
}
