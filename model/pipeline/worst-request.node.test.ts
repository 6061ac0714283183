import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inProcessCandidates } from "../candidate-sources/in-process-candidates.ts";
import { applyInteraction } from "../profile/apply-interaction.ts";
import { emptyProfile, type UserProfile } from "../profile/profile.ts";
import { makeProduct, time as now } from "../retrieval/testing.ts";
import { defaultHistoryRules } from "../rules/hidden-products.ts";
import { buildPyramid } from "../tiles/build-pyramid.ts";
import type { CellProduct } from "../tiles/cell-product.ts";
import { Random } from "../train/random.ts";
import { linearRanker } from "./fallback-rankers.ts";
import type { CandidateService } from "./ports.ts";
import { type PipelineQuery, runPipeline } from "./run-pipeline.ts";
import { OperationCounter } from "./testing/operation-counter.node.ts";

const here = { lat: 59.91, lon: 10.75 };
const categories = Array.from({ length: 128 }, (_, i) => `category ${i}`);

/** Returns products within about 20 km: half of them in five categories, a fifth of them variants of groups. */
function marketOf(size: number): CellProduct[] {
  const random = new Random(3);
  return Array.from({ length: size }, (_, i) => {
    const location = {
      lat: here.lat + (random.next() - 0.5) / 4,
      lon: here.lon + (random.next() - 0.5) / 2,
    };
    return makeProduct(
      `product-${i}`,
      location,
      {
        category: categories[random.next() < 0.5 ? random.below(5) : random.below(categories.length)],
        priceMinor: 100 + random.below(10_000),
        groupId: random.next() < 0.2 ? `group-${random.below(size / 10)}` : null,
      },
      random.below(20),
    );
  });
}

/** Returns the profile of a user who viewed, dismissed and purchased products of the market. */
function profileOf(market: readonly CellProduct[]): UserProfile {
  const profile = emptyProfile();
  const types = ["view", "purchase", "dismiss", "purchase"] as const;
  for (let i = 0; i < 200; i++) {
    const { change, cell } = market[(i * 7) % market.length];
    const { location, category, priceMinor, currency, productId } = change;
    applyInteraction(
      profile,
      {
        eventId: `event-${i}`,
        type: types[i % types.length],
        productId,
        time: now - 3 * 86_400 + i * 600,
        recommendationId: null,
        location,
        facts: {
          cell,
          lat: location?.lat ?? null,
          lon: location?.lon ?? null,
          category,
          priceMinor,
          currency,
        },
      },
      0,
    );
  }
  return profile;
}

let market: CellProduct[];
let profile: UserProfile;
let candidateService: CandidateService;
let counter: OperationCounter;

beforeAll(async () => {
  counter = await OperationCounter.start();
  market = marketOf(8000);
  profile = profileOf(market);
  candidateService = inProcessCandidates(
    buildPyramid(market, now, () => () => 0),
    () => now,
  );
});
afterAll(() => counter.stop());

/** Returns a request for `limit` of `candidates` candidates without any rule. */
const plainRequest = (candidates: number, limit: number): PipelineQuery => ({
  profile,
  point: here,
  now,
  offsetSeconds: 0,
  filter: {},
  rules: { limit },
  historyRules: { ...defaultHistoryRules, purchased: "keep" },
  maxCandidates: candidates,
  explain: false,
  budgetMs: Number.POSITIVE_INFINITY,
});

/** Returns a request with all rules. Each rule passes enough products, or the list would be shorter and cheaper. */
const worstRequest = (candidates: number, limit: number): PipelineQuery => ({
  ...plainRequest(candidates, limit),
  filter: {
    categories: categories.slice(0, 50),
    priceMin: 0,
    priceMax: 1_000_000,
    currency: "EUR",
    discountMin: 0,
    radiusKm: 1000,
    includeUnavailable: true,
  },
  exclude: market.slice(0, 500).map(({ change }) => change.productId),
  rules: {
    limit,
    boost: Object.fromEntries(categories.map((name, i) => [name, 1 + (i % 7)])),
    perCategory: Math.max(2, limit / 10),
    diversity: 0.5,
  },
  historyRules: { ...defaultHistoryRules, purchased: "auto" },
  explain: true,
  exploration: { rate: 1, depth: 20 },
});

const operationsOf = async (query: PipelineQuery): Promise<number> => {
  const ports = { candidateService, rankers: [linearRanker], clock: () => 0 };
  // The first run fills the caches of each tile.
  const { candidates, items } = await runPipeline(query, ports);
  expect(candidates).toHaveLength(query.maxCandidates);
  expect(items).toHaveLength(query.rules.limit);
  return counter.count(() => runPipeline(query, ports));
};

describe("runPipeline with all rules", () => {
  it("L11: costs at most twice as many operations as a plain request of the same size", async () => {
    for (const [candidates, limit] of [
      [100, 100],
      [200, 100],
      [500, 10],
      [500, 100],
    ]) {
      const plain = await operationsOf(plainRequest(candidates, limit));
      const worst = await operationsOf(worstRequest(candidates, limit));
      expect(worst).toBeLessThan(2 * plain);
    }
  });

  it("L11: costs at most n log n operations for n candidates, and hardly more for a longer list", async () => {
    const sizes = [100, 200, 300, 400, 500, 1000];
    const perUnit: number[] = [];
    for (const size of sizes)
      perUnit.push((await operationsOf(worstRequest(size, 100))) / (size * Math.log2(size)));
    for (const [i, each] of perUnit.slice(1).entries()) expect(each).toBeLessThan(1.02 * perUnit[i]);
    const short = await operationsOf(worstRequest(500, 10));
    const long = await operationsOf(worstRequest(500, 100));
    expect(long).toBeLessThan(1.5 * short);
  });
});
