import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { developmentKey } from "../../scripts/start/serve.ts";
import type { RecommendationAnswer } from "../../shared/contracts/recommendation.ts";
import { distanceKm } from "../../shared/geo/distance.ts";
import type { BenchContext } from "../context.ts";
import { summaryOfMean, summaryOfOne, summaryOfRates, summaryOfTimes } from "../figure.ts";
import { isolateMegabytes, liveMemoryOf, profileOf, sumOf } from "../workers/inspector.ts";
import { type LoadPlan, load } from "../workers/run-load.ts";
import { visitsOf } from "../data/market.ts";
import { processorSeconds, residentMegabytes } from "../workers/processes.ts";
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
const gatewayMs = (header: string | undefined): number =>
  Number(/gateway;dur=([\d.]+)/.exec(header ?? "")?.[1] ?? Number.NaN);

/** What the workers say of their own time. */
class Stages {
  readonly #times = new Map<string, number[]>();
  readonly #candidates: number[] = [];

  take(body: string, headers: Record<string, string>): void {
    const answer = JSON.parse(body) as RecommendationAnswer;
    this.#candidates.push(answer.candidates ?? 0);
    for (const { name, ms } of answer.stages) this.#add(name, ms);
    this.#add("gateway, all of it", gatewayMs(headers["server-timing"]));
  }

  #add(name: string, ms: number): void {
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
async function memory({ figures }: BenchContext, { pid, inspectors }: Workerd): Promise<void> {
  const whole = { what: "the whole process", value: residentMegabytes(pid) };
  for (const [worker, inspector] of inspectors)
    figures.push({
      section: "memory",
      name: `alive in ${worker}`,
      unit: "MB",
      ...summaryOfOne(sumOf(await liveMemoryOf(inspector))),
      baseline: whole,
      limit: { what: "aimed at for an isolate", value: isolateMegabytes.aimed },
    });
}

/** The first recommendation of fresh isolates: nothing is compiled, no tile is read, no person awake. */
async function firstAnswer(url: string, body: string): Promise<{ ms: number; rankMs: number }> {
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
export async function endToEnd(
  context: BenchContext,
  { url, workerd, market, startMs }: ServedCatalog,
): Promise<void> {
  const { seconds, products, profiles } = context.options;
  const visits = visitsOf(market, visitCount, Date.now() % 2 ** 31);
  const [{ point: center }] = visitsOf(market, 1, regionSeed);
  const region = visits.filter(
    ({ point }) => distanceKm(center.lat, center.lon, point.lat, point.lon) < regionKm,
  );
  const plan = (width: number, lasting: number, candidates = 500, who = visits): LoadPlan => ({
    url,
    method: "POST",
    path: "/v1/recommendations",
    connections: width,
    seconds: lasting,
    status: 200,
    body(request) {
      const { userId, point } = who[request % who.length];
      return JSON.stringify({ userId, location: point, limit, candidates });
    },
  });
  context.say("the first answer");
  const first = await firstAnswer(url, plan(1, 1).body?.(0) ?? "");
  context.say("warming up");
  await load(plan(warmUp.connections, warmUp.seconds), developmentKey);
  const catalog = `${products.toLocaleString("en")} products`;
  const onnx = await context.onnxLimit();
  const section = "end-to-end";
  context.figures.push(
    {
      section,
      name: "from the start of the processes to an open door",
      unit: "ms",
      ...summaryOfOne(startMs),
      baseline: null,
      limit: null,
    },
    {
      section,
      name: "the first recommendation after it",
      unit: "ms",
      ...summaryOfOne(first.ms),
      baseline: { what: "of which its ONNX run", value: first.rankMs },
      limit: onnx,
    },
  );
  for (const { connections: width, candidates, regional } of loads) {
    const plural = width === 1 ? "connection" : "connections";
    const where = regional ? ", one region" : "";
    const name = `${catalog}, ${candidates} ranked, ${width} ${plural}${where}`;
    context.say(name);
    const who = regional ? region : visits;
    if (regional) await load(plan(warmUp.connections, warmUp.seconds, candidates, who), developmentKey);
    const gateway = await load(
      { url, method: "GET", path: "/healthz", connections: width, seconds: healthSeconds, status: 200 },
      developmentKey,
    );
    const stages = new Stages();
    const before = workerd ? processorSeconds(workerd.pid) : Number.NaN;
    const outcome = await load(
      {
        ...plan(width, seconds, candidates, who),
        onAnswer: (_request, status, body, headers) => {
          if (status === 200) stages.take(body, headers);
        },
      },
      developmentKey,
    );
    const spent = workerd ? processorSeconds(workerd.pid) - before : Number.NaN;
    if (outcome.failed > 0)
      context.note(
        `end-to-end: ${outcome.failed} requests failed with ${name}: ${outcome.failures.join("; ")}`,
      );
    context.note(`end-to-end: ${Math.round(stages.meanCandidates)} candidates on average with ${name}`);
    context.figures.push(
      {
        section,
        name,
        unit: "ms",
        ...summaryOfTimes(outcome.times),
        baseline: { what: "GET /healthz", value: summaryOfTimes(gateway.times).p50 },
        limit: onnx,
      },
      {
        section,
        name: `${name}, answers`,
        unit: "per s",
        ...summaryOfRates(outcome.rates),
        baseline: { what: "GET /healthz", value: summaryOfRates(gateway.rates).p50 },
        limit: onnx && { what: "one core with nothing but ONNX", value: 1000 / onnx.value },
      },
      {
        section,
        name: `${name}, processor time of an answer`,
        unit: "ms",
        ...summaryOfMean((1000 * spent) / outcome.times.length, outcome.times.length),
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
        ...summaryOfTimes(times),
        baseline: null,
        limit: onnx,
      });
  }
  const asking = new Set(region.map(({ userId }) => userId)).size;
  context.note(
    `end-to-end: one region is ${regionKm} km around ${center.lat}, ${center.lon}: ${asking} people`,
  );
  if (!workerd) return;
  await memory(context, workerd);
  if (profiles === null) return;
  context.say("profiling");
  mkdirSync(profiles, { recursive: true });
  const work = load(plan(1, profileSeconds), developmentKey);
  await Promise.all(
    [...workerd.inspectors].map(async ([worker, inspector]) =>
      writeFileSync(join(profiles, `${worker}.cpuprofile`), await profileOf(inspector, work)),
    ),
  );
}
