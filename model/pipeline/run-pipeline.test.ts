import { describe, expect, it } from "vitest";
import type { Interaction } from "../../shared/contracts/event.ts";
import type { Stage } from "../../shared/contracts/recommendation.ts";
import { distanceKm } from "../../shared/geo/distance.ts";
import { StandingClock } from "../../shared/testing/platform/standing-clock.ts";
import type { CandidateStore } from "../candidate-sources/candidate-store.ts";
import {
  inProcessCandidateService,
  inProcessCandidates,
} from "../candidate-sources/in-process-candidates.ts";
import { featureShape } from "../features/compute-features.ts";
import { applyInteraction } from "../profile/apply-interaction.ts";
import { emptyProfile, type UserProfile } from "../profile/profile.ts";
import { usualReachKm } from "../retrieval/reach.ts";
import { defaultHistoryRules } from "../rules/hidden-products.ts";
import { buildPyramid } from "../tiles/build-pyramid.ts";
import { addressOfProduct, type CellProduct } from "../tiles/cell-product.ts";
import { linearRanker, popularityRanker } from "./fallback-rankers.ts";
import type { CandidateService, Ranker } from "./ports.ts";
import { type PipelineQuery, runPipeline } from "./run-pipeline.ts";

const now = 1_760_000_000;
const oslo = { lat: 59.91, lon: 10.75 };
const lima = { lat: -12.05, lon: -77.04 };
const categories = ["coffee", "books", "music"];

function product(name: string, i: number, center: typeof oslo): CellProduct {
  const location = { lat: center.lat + (i % 10) / 300, lon: center.lon + i / 2000 };
  const productId = `${name}-${i}`;
  return {
    cell: addressOfProduct({ productId, location }),
    change: {
      productId,
      version: 1,
      deleted: false,
      title: `${name} ${i}`,
      category: categories[i % 3],
      priceMinor: 1000 + 100 * i,
      currency: "EUR",
      discount: 0,
      rating: null,
      available: i !== 7,
      groupId: null,
      location,
      previousCell: null,
      createdAt: now - 1e6,
    },
    hours: [],
    nextProducts: [],
  };
}

const products = [oslo, lima].flatMap((center, k) =>
  Array.from({ length: 120 }, (_, i) => product(k ? "lima" : "oslo", i, center)),
);
const candidateService = inProcessCandidates(
  buildPyramid(products, now, () => () => 0),
  () => now,
);

const view = (productId: string, time: number): Interaction => {
  const { change } = products.find((each) => each.change.productId === productId) as CellProduct;
  return {
    eventId: `${productId}-${time}`,
    type: "view",
    productId,
    time,
    recommendationId: null,
    location: change.location,
    facts: {
      cell: addressOfProduct(change),
      lat: change.location?.lat ?? null,
      lon: change.location?.lon ?? null,
      category: change.category,
      priceMinor: change.priceMinor,
      currency: change.currency,
    },
  };
};

const queryOf = (profile: UserProfile, more: Partial<PipelineQuery> = {}): PipelineQuery => ({
  profile,
  point: oslo,
  now,
  offsetSeconds: 0,
  filter: {},
  rules: { limit: 10 },
  historyRules: defaultHistoryRules,
  maxCandidates: 500,
  explain: true,
  budgetMs: Number.POSITIVE_INFINITY,
  ...more,
});
const recommend = (
  profile: UserProfile,
  more: Partial<PipelineQuery> = {},
  rankers: Ranker[] = [linearRanker],
) => runPipeline(queryOf(profile, more), { candidateService, rankers, clock: () => 0 });

describe("runPipeline", () => {
  it("returns products near the point with exact distances, even if the user prefers distant ones", async () => {
    const profile = emptyProfile();
    for (let i = 0; i < 9; i++) applyInteraction(profile, view("lima-4", now - 1000 + i), 0);
    for (const [point, name] of [
      [oslo, "oslo"],
      [lima, "lima"],
    ] as const) {
      const { items, candidates } = await recommend(profile, { point });
      expect(items).toHaveLength(10);
      for (const { productId, distanceKm: km, index } of items) {
        const { block, row } = candidates[index];
        expect(productId.startsWith(name)).toBe(true);
        expect(km).toBe(distanceKm(point.lat, point.lon, block.lat[row], block.lon[row]));
      }
    }
  });

  it("prefers the category that the user just viewed, and gives the reason", async () => {
    const share = (items: { productId: string }[]): number =>
      items.filter(({ productId }) => Number(productId.split("-")[1]) % 3 === 1).length;
    const profile = emptyProfile();
    const before = await recommend(profile);
    for (const i of [1, 4, 10, 13, 16]) applyInteraction(profile, view(`oslo-${i}`, now - 60 + i), 0);
    const after = await recommend(profile);
    expect(share(after.items)).toBeGreaterThan(share(before.items));
    expect(after.items.flatMap(({ reasons }) => reasons)).toContain("chosen_before");
  });

  it("shows a pinned product at its position, wherever it is, as long as the filter lets it pass", async () => {
    const named = [4, 7].map((i) => {
      const { change } = products[120 + i];
      return { productId: change.productId, cell: addressOfProduct(change) };
    });
    const pins = named.map(({ productId }, i) => ({ productId, position: 2 + i }));
    const rules = { limit: 8, pins };
    const pinned = async (more: Partial<PipelineQuery> = {}) =>
      (await recommend(emptyProfile(), { rules, named, ...more })).items.map(({ productId }) => productId);
    // "lima-7" is not available.
    const usual = (await recommend(emptyProfile())).items.map(({ productId }) => productId);
    expect(await pinned()).toEqual([usual[0], "lima-4", ...usual.slice(1, 7)]);
    expect(await pinned({ maxCandidates: 20 })).toContain("lima-4");
    expect(await pinned({ filter: { includeUnavailable: true } })).toEqual(
      expect.arrayContaining(["lima-4", "lima-7"]),
    );
    expect(await pinned({ filter: { radiusKm: 100 } })).not.toContain("lima-4");
    expect(await pinned({ exclude: ["lima-4"] })).not.toContain("lima-4");
  });

  it("returns the products that exploration may show as spare ones, within the rules", async () => {
    const rules = { limit: 8, perCategory: 6 };
    const exploration = { rate: 0.5, depth: 6 };
    const usual = await recommend(emptyProfile(), { rules });
    const { items, spare } = await recommend(emptyProfile(), { rules, exploration });
    expect(items).toEqual(usual.items);
    const all = [...items, ...spare()].map(({ productId }) => productId);
    expect(new Set(all).size).toBe(all.length);
    const kinds = all.map((productId) => Number(productId.split("-")[1]) % 3);
    for (const kind of [0, 1, 2]) expect(kinds.filter((each) => each === kind).length).toBeLessThanOrEqual(6);
  });

  it("returns the score that orders the list of each candidate", async () => {
    const boost = { [categories[1]]: 3 };
    const { items, listScore, candidates } = await recommend(emptyProfile(), { rules: { limit: 8, boost } });
    for (const { index, score } of items) expect(listScore(index)).toBe(score);
    expect(candidates.map((_, i) => listScore(i)).every(Number.isFinite)).toBe(true);
  });

  it("returns no unavailable, filtered or excluded product", async () => {
    const filter = { categories: ["coffee", "books"], priceMax: 60, currency: "EUR" };
    const { items, candidates } = await recommend(emptyProfile(), {
      filter,
      exclude: ["oslo-3"],
      rules: { limit: 100 },
    });
    expect(items.length).toBeGreaterThan(10);
    for (const { productId, index } of items) {
      const { block, row } = candidates[index];
      expect(["oslo-3", "oslo-7"]).not.toContain(productId);
      expect(block.priceMinor[row]).toBeLessThanOrEqual(6000);
      expect(filter.categories).toContain(block.strings[block.category[row]]);
    }
  });

  it("falls back to the next ranker, and names what it skipped", async () => {
    const broken: Ranker = { version: "broken", sha256: "", score: () => Promise.reject(new Error("no")) };
    const failed = await recommend(emptyProfile(), {}, [broken, popularityRanker]);
    expect(failed.ranker.version).toBe("popularity");
    expect(failed.stages.find(({ name }) => name === "rank")?.skipped).toContain("broken");
    const hurried = await recommend(emptyProfile(), { budgetMs: 0.5 }, [broken, linearRanker]);
    expect(hurried.ranker.version).toBe("linear");
    expect(hurried.stages.find(({ name }) => name === "sources")?.skipped).toContain("budget");
  });

  describe("with a budget, on a clock that stands still while the pipeline computes", () => {
    /** Multiply-adds that take `ms` by the estimate, for 100 candidates. */
    const costing = (ms: number): number => ms * 4_000_000 * 5;
    /** Recommends for 100 candidates that take 6 ms to arrive, by a model whose run takes 4 ms. */
    async function recommendWithin(budgetMs: number, advances = false) {
      const clock = new StandingClock();
      const slowModel: Ranker = {
        ...{ version: "model", sha256: "", multiplyAdds: costing(4) },
        score: (batch) => {
          clock.work(4);
          return linearRanker.score(batch);
        },
      };
      const service: CandidateService = {
        gatherCandidates: async (request) => {
          await clock.wait(6);
          return candidateService.gatherCandidates(request);
        },
      };
      const answer = await runPipeline(queryOf(emptyProfile(), { budgetMs, maxCandidates: 100 }), {
        candidateService: service,
        rankers: [slowModel, linearRanker],
        clock: advances ? () => clock.passedMs : clock.now,
      });
      return { answer, clock };
    }

    it.each([false, true])(
      "calls a model only if its counted work fits; the clock advances: %s",
      async (advances) => {
        // 6 ms of waiting, 0.35 ms for the features, 4 ms for the model and 0.05 ms for the rules.
        const late = await recommendWithin(10.3, advances);
        expect(late.answer.ranker.version).toBe("linear");
        expect(late.answer.stages.find(({ name }) => name === "rank")?.skipped).toBe("model: budget");
        const inTime = await recommendWithin(10.5, advances);
        expect(inTime.answer.ranker.version).toBe("model");
        expect(inTime.answer.candidates).toHaveLength(100);
      },
    );

    it("says which stages wait, and what those that compute worked on", async () => {
      const { answer, clock } = await recommendWithin(100);
      expect(answer.stages).toEqual([
        { name: "sources", ms: 6, kind: "waiting" },
        { name: "features", ms: 0, kind: "computing", candidates: 100 },
        { name: "rank", ms: 0, kind: "computing", candidates: 100 },
        { name: "rules", ms: 0, kind: "computing", candidates: 100 },
      ]);
      expect([clock.now(), clock.passedMs]).toEqual([6, 10]);
    });

    it("leaves the sources the time that the counted work of what follows does not need", async () => {
      const timeouts: (number | null)[] = [];
      const service: CandidateService = {
        gatherCandidates: (request) => {
          timeouts.push(request.profileTimeoutMs);
          return candidateService.gatherCandidates(request);
        },
      };
      const model: Ranker = { ...linearRanker, multiplyAdds: costing(4) };
      for (const budgetMs of [20, 4, Number.POSITIVE_INFINITY])
        await runPipeline(queryOf(emptyProfile(), { budgetMs, maxCandidates: 100 }), {
          candidateService: service,
          rankers: [model],
          clock: () => 0,
        });
      expect(timeouts).toEqual([expect.closeTo(20 - 4.4, 6), 0, null]);
    });
  });

  describe("if a source fails or is late", () => {
    const known = emptyProfile();
    for (const i of [1, 4, 10]) applyInteraction(known, view(`oslo-${i}`, now - 60 + i), 0);
    const never = new Promise<never>(() => undefined);
    const down = () => Promise.reject(new Error("down"));
    const recommendWith = (overrides: Partial<CandidateStore>, budgetMs = Number.POSITIVE_INFINITY) =>
      runPipeline(
        {
          profile: known,
          point: oslo,
          now,
          offsetSeconds: 0,
          filter: {},
          rules: { limit: 10 },
          historyRules: defaultHistoryRules,
          maxCandidates: 500,
          explain: false,
          budgetMs,
        },
        {
          candidateService: inProcessCandidateService({ ...candidateService, ...overrides }, () =>
            Promise.resolve(),
          ),
          rankers: [linearRanker],
          clock: () => 0,
        },
      );
    const skippedSources = (answer: { stages: Stage[] }) =>
      answer.stages.find(({ name }) => name === "sources")?.skipped;

    it("returns products nearby if `chosen` fails", async () => {
      const answer = await recommendWith({ productColumns: down });
      expect(answer.items).toHaveLength(10);
      expect(skippedSources(answer)).toContain("chosen: failed");
    });

    it("returns products that the user chose if `near` fails", async () => {
      const answer = await recommendWith({ firstStageCandidates: down });
      expect(answer.items.map(({ productId }) => productId)).toContain("oslo-4");
      expect(skippedSources(answer)).toBe("near: failed");
    });

    it("rejects if both fail", async () => {
      await expect(recommendWith({ firstStageCandidates: down, productColumns: down })).rejects.toThrow(
        "down",
      );
    });

    it("skips a source that exceeds the budget", async () => {
      const answer = await recommendWith({ productColumns: () => never }, 50);
      expect(answer.items).toHaveLength(10);
      expect(skippedSources(answer)).toContain("chosen: budget");
    });

    it("skips nothing if all sources answer", async () => {
      expect((await recommendWith({})).stages.every(({ skipped }) => skipped === undefined)).toBe(true);
    });
  });

  it("computes finite, bounded features that later events do not change", async () => {
    const past = emptyProfile();
    for (const i of [1, 2, 3]) applyInteraction(past, view(`oslo-${i}`, now - 1000 * i), 0);
    const { features } = await recommend(past);
    expect(features.dense.length).toBe(features.count * featureShape.dense.length);
    for (const value of features.dense) expect(Math.abs(value)).toBeLessThan(20);
    // A later event of the same user leaves the features of this answer unchanged.
    const before = features.dense.slice();
    applyInteraction(past, view("oslo-9", now + 5), 0);
    expect(features.dense).toEqual(before);
  });

  it("answers for an empty profile without a location, and far from any product", async () => {
    expect((await recommend(emptyProfile(), { point: null })).items).toHaveLength(10);
    expect((await recommend(emptyProfile(), { point: { lat: 0, lon: -160 } })).items).toHaveLength(10);
  });

  it("leaves out a ranker whose scores are not one finite number for each candidate", async () => {
    const broken = (change: (engage: Float32Array) => Float32Array): Ranker => ({
      ...linearRanker,
      version: "broken",
      score: async (batch) => {
        const scores = await linearRanker.score(batch);
        return { ...scores, engage: change(scores.engage) };
      },
    });
    for (const ranker of [
      broken((engage) => engage.with(3, Number.NaN)),
      broken((engage) => engage.subarray(0, 7)),
    ]) {
      const answer = await recommend(emptyProfile(), {}, [ranker, linearRanker]);
      expect(answer.ranker).toBe(linearRanker);
      expect(answer.stages.find(({ name }) => name === "rank")?.skipped).toBe("broken: failed");
      await expect(recommend(emptyProfile(), {}, [ranker])).rejects.toThrow("one finite score");
    }
  });

  describe("for products that the user dismissed or purchased", () => {
    const profileAfter = (...events: Interaction[]): UserProfile => {
      const profile = emptyProfile();
      for (const each of events) applyInteraction(profile, each, 0);
      return profile;
    };
    const event = (productId: string, type: Interaction["type"], ago: number): Interaction => ({
      ...view(productId, now - ago),
      type,
    });
    const idsOf = async (profile: UserProfile, more: Partial<PipelineQuery> = {}): Promise<string[]> =>
      (await recommend(profile, more)).items.map(({ productId }) => productId);

    it("L6: never shows a dismissed product, and shows less of its category", async () => {
      const everything = { rules: { limit: 500 } };
      const before = (await recommend(emptyProfile(), everything)).items;
      const [{ productId: first }] = before;
      const profile = profileAfter(event(first, "dismiss", 60));
      expect((await recommend(profile)).items.map(({ productId }) => productId)).not.toContain(first);
      const items = (await recommend(profile, everything)).items;
      expect(items.map(({ productId }) => productId)).not.toContain(first);
      const category = products.find(({ change }) => change.productId === first)?.change.category;
      // Beyond the usual reach, the order is by distance alone.
      for (const { productId, score, reasons, distanceKm } of items) {
        if (distanceKm !== null && distanceKm > usualReachKm) continue;
        const other = before.find((each) => each.productId === productId)?.score ?? 0;
        const { change } = products.find((each) => each.change.productId === productId) as CellProduct;
        if (change.category === category) expect(score, productId).toBeLessThan(other);
        else expect(score, productId).toBeCloseTo(other, 6);
        expect(reasons).not.toContain("chosen_before");
        expect(reasons).not.toContain("category_you_like");
      }
    });

    it("L6: shows a dismissed product again after a click", async () => {
      const profile = profileAfter(event("oslo-3", "dismiss", 60), event("oslo-3", "click", 30));
      expect(await idsOf(profile)).toContain("oslo-3");
    });

    it("L7: moves a purchased product to the end of the list, from where it recovers", async () => {
      const everything = { rules: { limit: 500 } };
      expect((await idsOf(profileAfter(event("oslo-3", "purchase", 60))))[0]).not.toBe("oslo-3");
      const scoreAfter = async (days: number, purchased: "auto" | "keep" = "auto") => {
        const { items } = await recommend(profileAfter(event("oslo-3", "purchase", days * 86_400)), {
          ...everything,
          historyRules: { ...defaultHistoryRules, purchased },
        });
        return items.find(({ productId }) => productId === "oslo-3")?.score ?? 0;
      };
      expect(await scoreAfter(0)).toBe(0);
      expect(await scoreAfter(15)).toBeCloseTo((await scoreAfter(15, "keep")) / 2, 6);
      expect(await scoreAfter(30)).toBe(await scoreAfter(30, "keep"));
    });

    it("L7: hides, keeps or fades by the rule of the request", async () => {
      const profile = profileAfter(event("oslo-3", "purchase", 60));
      const by = (purchased: "hide" | "keep") =>
        idsOf(profile, { historyRules: { ...defaultHistoryRules, purchased }, rules: { limit: 100 } });
      expect(await by("hide")).not.toContain("oslo-3");
      expect((await by("keep"))[0]).toBe("oslo-3");
    });
  });
});

describe("a list is short only if there are no more products", () => {
  const village = { lat: 10.123, lon: -35.456 };
  const at = (name: string, count: number, km: number, more: object): CellProduct[] =>
    Array.from({ length: count }, (_, i) => {
      const each = product(name, i, { lat: village.lat + km / 111.2, lon: village.lon });
      return { ...each, change: { ...each.change, available: true, ...more } };
    });
  const serviceOf = (all: CellProduct[]) =>
    inProcessCandidates(
      buildPyramid(all, now, () => () => 0),
      () => now,
    );
  const list = async (all: CellProduct[], more: Partial<PipelineQuery>) => {
    const query = queryOf(emptyProfile(), { point: village, ...more });
    const ports = { candidateService: serviceOf(all), rankers: [linearRanker], clock: () => 0 };
    return (await runPipeline(query, ports)).items.map(({ productId }) => productId.split("-")[0]);
  };
  const countOf = (names: string[], name: string): number => names.filter((each) => each === name).length;

  it("L1, L8: 300 variants of a shirt take no places of other products, near or far", async () => {
    const all = [
      ...at("shirt", 300, 0, { groupId: "shirt", category: "shirts" }),
      ...at("other", 30, 1, { category: "others" }),
      ...at("far", 100, 400, { category: "far" }),
    ];
    const long = await list(all, { rules: { limit: 100 } });
    expect([long.length, countOf(long, "shirt"), countOf(long, "other")]).toEqual([100, 1, 30]);
    expect(long.slice(31).every((name) => name === "far")).toBe(true);
    const short = await list(all, { rules: { limit: 20 }, maxCandidates: 20 });
    expect([short.length, countOf(short, "shirt")]).toEqual([20, 1]);
  });

  it("L8: there are never fewer candidates than places in the list", async () => {
    expect(await list(at("cafe", 120, 0, {}), { rules: { limit: 100 }, maxCandidates: 20 })).toHaveLength(
      100,
    );
  });

  it("L8: a category at its cap takes no places of other categories", async () => {
    const all = [
      ...at("cafe", 300, 0, { category: "cafe" }),
      ...Array.from({ length: 12 }, (_, i) => at(`c${i}`, 1, 20, { category: `c${i}` })).flat(),
    ];
    for (const maxCandidates of [20, 100])
      expect(await list(all, { rules: { limit: 10, perCategory: 1 }, maxCandidates })).toHaveLength(10);
  });

  it("L1: the products of a village come before products without a location", async () => {
    const anywhere = at("anywhere", 100, 0, { location: null }).map((each) => ({
      ...each,
      cell: addressOfProduct(each.change),
    }));
    const names = await list([...at("local", 3, 0.5, {}), ...anywhere], { rules: { limit: 10 } });
    expect(names.slice(0, 3)).toEqual(["local", "local", "local"]);
    expect(countOf(names, "anywhere")).toBe(7);
  });
});
