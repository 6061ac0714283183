import { setTimeout as sleep } from "node:timers/promises";
import type { Parameters } from "../../model/network/parameters.ts";
import { bundledWeights } from "../../scripts/models/bundled-model.ts";
import { createModelUpload } from "../../scripts/models/model-upload.ts";
import { developmentKey } from "../../scripts/start/serve.ts";
import type { RecommendationAnswer } from "../../shared/contracts/recommendation.ts";
import type { BenchContext } from "../context.ts";
import { sampleRequestOrigins } from "../data/market.ts";
import { singleMeasurement, summarizeTimes } from "../figure.ts";
import { type LoadOutcome, type LoadPlan, runLoad } from "../workers/run-load.ts";
import type { ServedCatalog } from "../workers/serve-catalog.ts";

const connections = 16;
const warmUpSeconds = 6;
/** Seconds of load before, and around each of the swaps. */
const seconds = 12;
/**
 * Swaps, each to another version, in the middle of a load of its own. That many versions came after it before the load that
 * the isolate holds it no longer, so each is opened and warmed under load.
 */
const swaps = 4;
/** A request during a swap may take so many times the p99 before it. */
const maxFactor = 3;

/** Weights that order as the bundled ones do, in a file of its own. */
function scaledWeights(by: number): Parameters {
  const weights = bundledWeights();
  for (const [name, { data }] of weights)
    if (name.startsWith("heads."))
      data.forEach((value, i) => {
        data[i] = value * by;
      });
  return weights;
}

async function call(url: string, path: string, body?: FormData): Promise<void> {
  const headers = { authorization: `Bearer ${developmentKey}` };
  const answer = await fetch(`${url}${path}`, { method: "POST", headers, body });
  if (!answer.ok && answer.status !== 409) throw new Error(`${path} answered ${await answer.text()}`);
  await answer.body?.cancel();
}

/** Recommendations while another version takes over: whether any fails, and how slow the slowest is. */
export async function measureSwap(context: BenchContext, { url, market }: ServedCatalog): Promise<void> {
  const visits = sampleRequestOrigins(market, 20_000, Date.now() % 2 ** 31);
  const versions = new Map<string, number>();
  const plan = (lasting: number): LoadPlan => ({
    ...{
      url,
      method: "POST",
      path: "/v1/recommendations",
      connections,
      seconds: lasting,
      expectedStatus: 200,
    },
    body(request) {
      const { userId, point } = visits[request % visits.length];
      return JSON.stringify({ userId, location: point, limit: 10 });
    },
    onAnswer(_request, status, body) {
      if (status !== 200) return;
      const { version } = (JSON.parse(body) as RecommendationAnswer).model;
      versions.set(version, (versions.get(version) ?? 0) + 1);
    },
  });
  const round = Date.now().toString(36);
  const names = Array.from({ length: swaps + 1 }, (_, i) => `swap-${round}-${i}`);
  for (const [i, name] of names.entries()) {
    // Each a file of its own, in a state that was used before too.
    const by = 1 + (i + 1) / 1000 + (Date.now() % 1e6) / 1e9;
    await call(url, "/v1/models", await createModelUpload(name, scaledWeights(by)));
  }
  await call(url, `/v1/models/${names[0]}/promote`);
  context.log("warming up");
  await runLoad(plan(warmUpSeconds), developmentKey);
  context.log("before the swap");
  const before = await runLoad(plan(seconds), developmentKey);
  const during: LoadOutcome[] = [];
  for (let i = 0; i < swaps; i++) {
    context.log(`swap ${i + 1} of ${swaps}`);
    versions.clear();
    const loaded = runLoad(plan(seconds), developmentKey);
    await sleep((1000 * seconds) / 2);
    await call(url, `/v1/models/${names[i + 1]}/promote`);
    during.push(await loaded);
    if (versions.size < 2) throw new Error("no other version took over during the load");
  }
  const times = during.flatMap((each) => each.times);
  const failed = [before, ...during].reduce((sum, each) => sum + each.failed, 0);
  const summary = summarizeTimes(before.times);
  const slowest = times.reduce((most, ms) => Math.max(most, ms), 0);
  const section = "swap";
  const asBefore = { label: "p99 before", value: summary.p99 };
  context.figures.push(
    {
      section,
      name: `before, ${connections} connections`,
      unit: "ms",
      ...summary,
      baseline: null,
      limit: null,
    },
    {
      ...{ section, name: `during ${swaps} swaps`, unit: "ms", ...summarizeTimes(times) },
      ...{ baseline: asBefore, limit: null },
    },
    {
      ...{ section, name: "slowest during a swap", unit: "ms", ...singleMeasurement(slowest) },
      baseline: { label: "slowest before", value: before.times.reduce((most, ms) => Math.max(most, ms), 0) },
      limit: { label: `${maxFactor} x p99 before`, value: maxFactor * summary.p99 },
    },
  );
  context.addNote(`swap: ${failed} of ${before.times.length + times.length + failed} requests failed`);
  if (failed > 0) throw new Error(`${failed} requests failed`);
}
