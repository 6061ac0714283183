import { setTimeout as sleep } from "node:timers/promises";
import type { Parameters } from "../../model/network/parameters.ts";
import { bundledWeights } from "../../scripts/models/bundled-model.ts";
import { createModelUpload } from "../../scripts/models/model-upload.ts";
import { developmentKey } from "../../scripts/start/development-key.ts";
import type { RecommendationAnswer } from "../../shared/contracts/recommendation.ts";
import type { BenchContext } from "../context.ts";
import { sampleRequestOrigins } from "../data/generated-market.ts";
import { singleMeasurement, summarizeTimes } from "../figure.ts";
import { type LoadOutcome, type LoadPlan, runLoad } from "../workers/run-load.ts";
import type { ServedCatalog } from "../workers/serve-catalog.ts";

const connections = 16;
const warmUpSeconds = 6;
/** Seconds of the load before the swaps, and of the load around each swap. */
const seconds = 12;
/**
 * Number of swaps. Each swap happens in the middle of its own load and promotes another version. More versions are
 * uploaded than an isolate caches, so each promoted version must be opened and warmed up under load.
 */
const swaps = 4;
/** Largest allowed factor between the slowest request during a swap and the p99 before the swaps. */
const maxFactor = 3;

/** Returns the bundled weights with scaled heads: the same order of scores in a different file. */
function scaledWeights(factor: number): Parameters {
  const weights = bundledWeights();
  for (const [name, { data }] of weights)
    if (name.startsWith("heads."))
      data.forEach((value, i) => {
        data[i] = value * factor;
      });
  return weights;
}

/** Sends a POST request as the local admin. Throws on an error status other than 409 (conflict). */
async function post(url: string, path: string, body?: FormData): Promise<void> {
  const headers = { authorization: `Bearer ${developmentKey}` };
  const response = await fetch(`${url}${path}`, { method: "POST", headers, body });
  if (!response.ok && response.status !== 409)
    throw new Error(`POST ${path} answered ${response.status}: ${await response.text()}`);
  await response.body?.cancel();
}

/** Measures recommendations while another model version is promoted: failures, and the slowest request. */
export async function measureSwap(context: BenchContext, { url, market }: ServedCatalog): Promise<void> {
  const origins = sampleRequestOrigins(market, 20_000, Date.now() % 2 ** 31);
  const answersByVersion = new Map<string, number>();
  const plan = (duration: number): LoadPlan => ({
    ...{
      url,
      method: "POST",
      path: "/v1/recommendations",
      connections,
      seconds: duration,
      expectedStatus: 200,
    },
    body(request) {
      const { userId, point } = origins[request % origins.length];
      return JSON.stringify({ userId, location: point, limit: 10 });
    },
    onAnswer(_request, status, body) {
      if (status !== 200) return;
      const { version } = (JSON.parse(body) as RecommendationAnswer).model;
      answersByVersion.set(version, (answersByVersion.get(version) ?? 0) + 1);
    },
  });
  const round = Date.now().toString(36);
  const names = Array.from({ length: swaps + 1 }, (_, i) => `swap-${round}-${i}`);
  for (const [i, name] of names.entries()) {
    // A unique factor makes each file unique, even in a state directory of an earlier run.
    const factor = 1 + (i + 1) / 1000 + (Date.now() % 1e6) / 1e9;
    await post(url, "/v1/models", await createModelUpload(name, scaledWeights(factor)));
  }
  await post(url, `/v1/models/${names[0]}/promote`);
  context.log("warming up the workers");
  await runLoad(plan(warmUpSeconds), developmentKey);
  context.log("measuring before the swaps");
  const before = await runLoad(plan(seconds), developmentKey);
  const during: LoadOutcome[] = [];
  for (let i = 0; i < swaps; i++) {
    context.log(`swap ${i + 1} of ${swaps}`);
    answersByVersion.clear();
    const load = runLoad(plan(seconds), developmentKey);
    await sleep((1000 * seconds) / 2);
    await post(url, `/v1/models/${names[i + 1]}/promote`);
    during.push(await load);
    if (answersByVersion.size < 2)
      throw new Error("swap: all answers came from one version, so no promotion took effect during the load");
  }
  const times = during.flatMap((each) => each.times);
  const failed = [before, ...during].reduce((sum, each) => sum + each.failed, 0);
  const timesBefore = summarizeTimes(before.times);
  const slowest = times.reduce((max, ms) => Math.max(max, ms), 0);
  const section = "swap";
  const p99Before = { label: "p99 before the swaps", value: timesBefore.p99 };
  context.figures.push(
    {
      section,
      name: `before the swaps, ${connections} connections`,
      unit: "ms",
      ...timesBefore,
      baseline: null,
      limit: null,
    },
    {
      ...{ section, name: `during ${swaps} swaps`, unit: "ms", ...summarizeTimes(times) },
      ...{ baseline: p99Before, limit: null },
    },
    {
      ...{ section, name: "slowest request during a swap", unit: "ms", ...singleMeasurement(slowest) },
      baseline: {
        label: "slowest before the swaps",
        value: before.times.reduce((max, ms) => Math.max(max, ms), 0),
      },
      limit: { label: `${maxFactor} x p99 before the swaps`, value: maxFactor * timesBefore.p99 },
    },
  );
  context.addNote(`swap: ${failed} of ${before.times.length + times.length + failed} requests failed`);
  if (failed > 0) throw new Error(`swap: ${failed} requests failed during the model swaps`);
}
