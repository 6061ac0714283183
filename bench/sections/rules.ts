import { BatchPool } from "../../model/features/batch-pool.ts";
import { featureShape } from "../../model/features/compute-features.ts";
import type { Ranker } from "../../model/pipeline/ports.ts";
import { maxCandidates, type PipelineQuery, runPipeline } from "../../model/pipeline/run-pipeline.ts";
import { defaultFirstStage } from "../../model/retrieval/first-stage.ts";
import { defaultHistoryRules } from "../../model/rules/hidden-products.ts";
import { distanceKm } from "../../shared/geo/distance.ts";
import { utcOffsetAt } from "../../shared/geo/local-time.ts";
import type { BenchContext } from "../context.ts";
import { type RequestOrigin, sampleRequestOrigins } from "../data/generated-market.ts";
import type { IndexedMarket } from "../data/indexed-market.ts";
import type { Reference } from "../figure.ts";
import { openBundledModel } from "../onnx/bundled-model.ts";
import { measureMicroseconds, type RunLimits } from "../timing.ts";

const originCount = 40;
const bounds: RunLimits = { warmUp: 80, runs: 800, seconds: 8 };
/** Longest list of the API. */
const limit = 100;

/** Returns a query for the longest list without any rule. */
const plainQuery = ({ userId, point }: RequestOrigin, { replay, now }: IndexedMarket): PipelineQuery => ({
  profile: replay.profile(userId),
  point,
  now,
  offsetSeconds: utcOffsetAt(point.lat, point.lon, now),
  filter: {},
  rules: { limit, collapse: [] },
  historyRules: { ...defaultHistoryRules, purchased: "keep" },
  maxCandidates,
  explain: false,
  budgetMs: Number.POSITIVE_INFINITY,
});

/** Returns the currency of the product that is nearest to a point. */
function currencyAt({ point }: RequestOrigin, { dataset }: IndexedMarket): string | null {
  let nearest = { km: Number.POSITIVE_INFINITY, currency: null as string | null };
  for (const { lat, lon, currency } of dataset.items.values()) {
    if (lat === null || lon === null) continue;
    const km = distanceKm(point.lat, point.lon, lat, lon);
    if (km < nearest.km) nearest = { km, currency };
  }
  return nearest.currency;
}

/** Measures the longest list without a rule, with each rule, and with all rules, in Node over tiles in memory. */
export async function measureRules(context: BenchContext): Promise<void> {
  const { market } = context;
  const { session, manifest } = await openBundledModel();
  const ranker: Ranker = {
    ...manifest,
    firstStage: manifest.firstStage ?? defaultFirstStage,
    score: (batch) => session.run(batch),
  };
  const batches = new BatchPool(featureShape, maxCandidates);
  const categories = [...new Set([...market.dataset.items.values()].map(({ category }) => category))];
  const boost = Object.fromEntries(categories.slice(0, 128).map((name, i) => [name, 1 + (i % 7)]));
  const exclude = [...market.dataset.items.keys()].slice(0, 500);
  const filter = {
    categories: categories.slice(0, 50),
    priceMin: 0,
    priceMax: 1e9,
    discountMin: 0,
    radiusKm: 1000,
    includeUnavailable: true,
  };
  // Products at the end of the catalog, which the exclusions leave in.
  const pins = [...market.dataset.items.keys()]
    .slice(-20)
    .map((productId, i) => ({ productId, position: 1 + i * 5 }));
  const rules: Record<string, Partial<PipelineQuery>> = {
    "500 exclusions": { exclude },
    "all filters": { filter },
    "128 boosts": { rules: { limit, boost } },
    "a cap of 10 for each category": { rules: { limit, perCategory: 10 } },
    "20 pins": { rules: { limit, pins } },
    "one product of each group": { rules: { limit, collapse: ["group"] } },
    "products viewed twice hidden": {
      historyRules: { ...defaultHistoryRules, purchased: "keep", viewed: { times: 2, days: 90 } },
    },
    diversity: { rules: { limit, diversity: 0.5 } },
    "purchased products": { historyRules: defaultHistoryRules },
    explanations: { explain: true },
  };
  const all: Partial<PipelineQuery> = {
    ...Object.assign({}, ...Object.values(rules)),
    rules: { limit, boost, pins, collapse: ["group"], perCategory: 10, perGroup: 3, diversity: 0.5 },
    historyRules: { ...defaultHistoryRules, viewed: { times: 2, days: 90 } },
    exploration: { rate: 1, depth: 20 },
  };
  const origins = sampleRequestOrigins(market, originCount, 1);
  const queries = origins.map((origin) => plainQuery(origin, market));
  const currencies = origins.map((origin) => currencyAt(origin, market));
  const time = (more: Partial<PipelineQuery>) =>
    measureMicroseconds(async (i) => {
      const { features } = await runPipeline(
        {
          ...queries[i % queries.length],
          ...more,
          // A filter with a price names the currency of the place.
          ...(more.filter ? { filter: { ...more.filter, currency: currencies[i % queries.length] } } : {}),
        },
        {
          candidateService: market.candidateService,
          rankers: [ranker],
          clock: () => performance.now(),
          batches,
        },
      );
      batches.release(features);
    }, bounds);
  const plain = await time({});
  const baseline: Reference = { label: "the same list without rules", value: plain.p50 };
  const add = (name: string, statistics: typeof plain, reference: Reference | null) =>
    context.figures.push({
      section: "rules",
      name,
      unit: "us",
      ...statistics,
      baseline: reference,
      limit: null,
    });
  add(`list of ${limit} without rules`, plain, null);
  for (const [name, more] of Object.entries(rules)) add(`with ${name}`, await time(more), baseline);
  add("with all rules", await time(all), baseline);
  await session.release();
}
