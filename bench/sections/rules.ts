import { BatchPool } from "../../model/features/batch-pool.ts";
import { featureShape } from "../../model/features/compute-features.ts";
import type { Ranker } from "../../model/pipeline/ports.ts";
import { maxCandidates, type PipelineQuery, runPipeline } from "../../model/pipeline/run-pipeline.ts";
import { profileLimits, type UserProfile } from "../../model/profile/profile.ts";
import { noteShown, seenPositions } from "../../model/profile/shown-products.ts";
import { defaultFirstStage } from "../../model/retrieval/first-stage.ts";
import { defaultHistoryRules, type HistoryRules } from "../../model/rules/hidden-products.ts";
import { distanceKm } from "../../shared/geo/distance.ts";
import { utcOffsetAt } from "../../shared/geo/local-time.ts";
import { daySeconds } from "../../shared/time/seconds.ts";
import type { BenchContext } from "../context.ts";
import { type RequestOrigin, sampleRequestOrigins } from "../data/generated-market.ts";
import type { IndexedMarket } from "../data/indexed-market.ts";
import { summarizeTimes } from "../figure.ts";
import { openBundledModel } from "../onnx/bundled-model.ts";
import { processorTimesSideBySide, type Rounds } from "../timing.ts";

const originCount = 40;
const rounds: Rounds = { warmUp: 60, rounds: 400 };
/** Longest list of the API. */
const limit = 100;

/** No rule for what the user did before. */
const noHistoryRules: HistoryRules = {
  ...defaultHistoryRules,
  ...{ purchased: "keep", shown: "keep", intent: "ignore" },
};

/** Returns a user's profile after lists of a week that showed the first products of the catalog, as many as a profile knows. */
function profileAfterLists(userId: string, { replay, dataset, now }: IndexedMarket): UserProfile {
  const profile = structuredClone(replay.profile(userId));
  const ids = [...dataset.items.keys()].slice(0, profileLimits.shown);
  for (let at = 0; at < ids.length; at += seenPositions)
    noteShown(
      profile,
      ids.slice(at, at + seenPositions),
      now - (7 * daySeconds * (ids.length - at)) / ids.length,
    );
  return profile;
}

/** Returns a query for the longest list without any rule. */
const plainQuery = ({ userId, point }: RequestOrigin, market: IndexedMarket): PipelineQuery => ({
  profile: profileAfterLists(userId, market),
  point,
  now: market.now,
  offsetSeconds: utcOffsetAt(point.lat, point.lon, market.now),
  filter: {},
  rules: { limit, collapse: [] },
  historyRules: noHistoryRules,
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

/**
 * Measures the processor time of the longest list without a rule, with each rule, and with all rules, in Node over tiles in
 * memory. The lists take turns, so that all meet the same machine.
 */
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
  const conditionPins = categories
    .slice(0, 10)
    .map((name, i) => ({ when: `product.category == ${JSON.stringify(name)}`, position: 2 + i * 10 }));
  const boosts = Array.from({ length: 20 }, (_, i) => ({
    when: `product.rating >= ${(3 + i / 10).toFixed(1)} && distanceKm < ${i + 1}.0`,
    ...(i % 2 === 0 ? { multiply: 1.1 } : { add: 0.01 }),
  }));
  const ruleScope = { now: market.now, offsetSeconds: 0, user: null };
  const rules: Record<string, Partial<PipelineQuery>> = {
    "500 exclusions": { exclude },
    "all filters": { filter },
    "128 boosts": { rules: { limit, boost } },
    "20 boosts with a condition": { rules: { limit, boosts }, ruleScope },
    "an objective": { rules: { limit, objective: { click: 1, purchase: 30 } } },
    "a cap of 10 for each category": { rules: { limit, perCategory: 10 } },
    "20 pins": { rules: { limit, pins } },
    "10 pins with a condition": { rules: { limit, pins: conditionPins }, ruleScope },
    "one product of each group": { rules: { limit, collapse: ["group"] } },
    "products viewed twice hidden": {
      historyRules: { ...noHistoryRules, viewed: { times: 2, days: 90 } },
    },
    diversity: { rules: { limit, diversity: 0.5 } },
    "purchased products": { historyRules: { ...noHistoryRules, purchased: "auto" } },
    "256 products shown before": { historyRules: { ...noHistoryRules, shown: "fade" } },
    "the present intent": { historyRules: { ...noHistoryRules, intent: "follow" } },
    explanations: { explain: true },
  };
  const history = { ...defaultHistoryRules, viewed: { times: 2, days: 90 } };
  const objective = { click: 1, purchase: 30 };
  const listRules = {
    limit,
    objective,
    boost,
    collapse: ["group"],
    perCategory: 10,
    perGroup: 3,
    diversity: 0.5,
  };
  /** Each rule, with as many conditions as a shop may have. */
  const all: Partial<PipelineQuery> = {
    rules: {
      ...listRules,
      ...{ boosts: boosts.slice(0, 3), pins: [...pins.slice(0, 5), ...conditionPins.slice(0, 2)] },
    },
    ...{ ruleScope, historyRules: history },
    exploration: { rate: 0.5, depth: 10, when: "product.rating >= 4.0" },
  };
  /** Each rule at its limit. */
  const most: Partial<PipelineQuery> = {
    ...all,
    rules: { ...listRules, boosts, pins: [...pins.slice(0, 10), ...conditionPins] },
  };
  const origins = sampleRequestOrigins(market, originCount, 1);
  const queries = origins.map((origin) => plainQuery(origin, market));
  const currencies = origins.map((origin) => currencyAt(origin, market));
  const run = async (i: number, more: Partial<PipelineQuery>): Promise<void> => {
    const query = { ...queries[i % queries.length], ...more };
    const { features } = await runPipeline(
      // A filter with a price names the currency of the place.
      more.filter
        ? { ...query, filter: { ...more.filter, currency: currencies[i % queries.length] } }
        : query,
      {
        candidateService: market.candidateService,
        rankers: [ranker],
        clock: () => performance.now(),
        batches,
      },
    );
    batches.release(features);
  };
  const lists: [string, Partial<PipelineQuery>][] = [
    [`list of ${limit} without rules`, {}],
    ...Object.entries(rules).map(([name, more]): [string, Partial<PipelineQuery>] => [`with ${name}`, more]),
    ["with all rules", all],
    ["with all rules, filters, exclusions and reasons", { ...all, filter, exclude, explain: true }],
    ["with 20 boosts and 20 pins among all rules", most],
  ];
  const times = await processorTimesSideBySide(
    lists.map(
      ([, more]) =>
        (i) =>
          run(i, more),
    ),
    rounds,
  );
  const plain = summarizeTimes(times[0]);
  lists.forEach(([name], i) => {
    const statistics = summarizeTimes(times[i]);
    context.figures.push({
      ...{ section: "rules", name, unit: "us", ...statistics, limit: null },
      baseline: i === 0 ? null : { label: "the same list without rules", value: plain.p50 },
    });
  });
  await session.release();
}
