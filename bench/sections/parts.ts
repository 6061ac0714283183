import type { CandidateQuery } from "../../model/candidate-query/candidate-query.ts";
import { candidateRequestOf } from "../../model/candidate-query/candidate-request.ts";
import { categoryAffinities } from "../../model/candidate-query/category-affinities.ts";
import { usualPlaces } from "../../model/candidate-query/usual-places.ts";
import { chosenSource } from "../../model/candidate-sources/chosen-source.ts";
import { gatherCandidates } from "../../model/candidate-sources/gather-candidates.ts";
import { nextProductsSource } from "../../model/candidate-sources/next-products-source.ts";
import { BatchPool } from "../../model/features/batch-pool.ts";
import { computeFeatures, featureFamilies, featureShape } from "../../model/features/compute-features.ts";
import { type RankedBlock, rankedBlock } from "../../model/features/ranked-block.ts";
import { rankingContext } from "../../model/features/ranking-context.ts";
import { fetchCandidates } from "../../model/pipeline/fetch-candidates.ts";
import { finalScores } from "../../model/pipeline/final-scores.ts";
import type { Ranker } from "../../model/pipeline/ports.ts";
import { maxCandidates, runPipeline } from "../../model/pipeline/run-pipeline.ts";
import { decodeProfile, encodeProfile } from "../../model/profile/codec.ts";
import type { ReadonlyProfile } from "../../model/profile/profile.ts";
import { affinityWeights, categoryHoursOf } from "../../model/retrieval/category-affinity.ts";
import { defaultFirstStage } from "../../model/retrieval/first-stage.ts";
import { proximityPointsOf, scoreRows } from "../../model/retrieval/score-rows.ts";
import { topIndices } from "../../model/retrieval/top-indices.ts";
import { defaultHistoryRules } from "../../model/rules/hidden-products.ts";
import { applyRules } from "../../model/rules/rules.ts";
import type { FirstStage } from "../../shared/contracts/retrieval.ts";
import { utcOffsetAt } from "../../shared/geo/local-time.ts";
import { localHourOf } from "../../shared/time/local-clock.ts";
import type { BenchContext } from "../context.ts";
import { type RequestOrigin, sampleRequestOrigins } from "../data/generated-market.ts";
import { type IndexedMarket, leafTiles } from "../data/indexed-market.ts";
import type { Reference } from "../figure.ts";
import { openBundledModel } from "../onnx/bundled-model.ts";
import { measureMicroseconds, type RunLimits } from "../timing.ts";

/** Number of users and locations; each part runs on all of them in turn. */
const originCount = 100;
const bounds: RunLimits = { warmUp: 100, runs: 1000, seconds: 6 };
const baselineBounds: RunLimits = { warmUp: 20, runs: 200, seconds: 2 };
/** Items of an answer. */
const limit = 10;

/** Returns the inputs of all parts for one request. The input of a part is the output of the parts before it. */
async function prepare(
  { userId, point }: RequestOrigin,
  { replay, candidateService, now }: IndexedMarket,
  firstStage: FirstStage,
) {
  const profile = replay.profile(userId);
  const offset = utcOffsetAt(point.lat, point.lon, now);
  const hour = localHourOf(now + offset);
  const query: CandidateQuery = {
    profile,
    point,
    now,
    hour,
    filter: {},
    limit: maxCandidates,
    firstStage,
  };
  const request = candidateRequestOf(query);
  const { near, chosen: chosenBlock } = await gatherCandidates(candidateService, request);
  const knownBlocks = [chosenBlock, near].filter((block) => block !== null);
  const gathered = await fetchCandidates(query, candidateService);
  const context = rankingContext(profile, now, offset, point, gathered.blocks, gathered.candidates);
  const batch = computeFeatures(context, gathered.candidates);
  return {
    query,
    point,
    offset,
    bytes: encodeProfile(profile),
    request,
    chosenBlock,
    knownBlocks,
    gathered,
    context,
    batch,
  };
}

/** Measures the parts of a recommendation in Node, over tiles in memory and without workers, in microseconds. */
export async function measureParts(context: BenchContext): Promise<void> {
  const { market } = context;
  const { session, manifest } = await openBundledModel();
  const ranker: Ranker = { ...manifest, score: (batch) => session.run(batch) };
  const firstStage = manifest.firstStage ?? defaultFirstStage;
  const cases = await Promise.all(
    sampleRequestOrigins(market, originCount, 1).map((origin) => prepare(origin, market, firstStage)),
  );
  const caseOf = (run: number) => cases[run % cases.length];
  const time = (work: (run: number) => unknown) => measureMicroseconds(work, bounds);
  const baseline = async (label: string, work: (run: number) => unknown): Promise<Reference> => ({
    label,
    value: (await measureMicroseconds(work, baselineBounds)).p50,
  });

  const scores = await Promise.all(cases.map(async ({ batch }) => finalScores(await session.run(batch))));
  const ranked = cases.map(({ gathered }, i) =>
    gathered.candidates.map(({ block, row }, index) => ({ block, row, score: scores[i][index], index })),
  );
  const batches = new BatchPool(featureShape, maxCandidates);
  const texts = cases.map(({ query }) => jsonOf(query.profile));
  const chosenTexts = cases.map(({ chosenBlock }) =>
    JSON.stringify(
      chosenBlock ? mapRows(chosenBlock.count, (row) => market.dataset.items.get(chosenBlock.id(row))) : [],
    ),
  );
  const leaves = await leafTiles(market.tiles);
  const allScores = new Float64Array(leaves.reduce((sum, leaf) => sum + leaf.count, 0));
  const scoreAll = (run: number): number[] => {
    const { query, point } = caseOf(run);
    const proximityPoints = proximityPointsOf(point, usualPlaces(query.profile, query.now), firstStage);
    const affinities = affinityWeights(
      categoryHoursOf(leaves),
      query.hour,
      categoryAffinities(query.profile),
      firstStage,
    );
    let start = 0;
    for (const leaf of leaves) {
      scoreRows(leaf, proximityPoints, affinities, firstStage, 0, allScores.subarray(start));
      start += leaf.count;
    }
    return topIndices(allScores, allScores.length, maxCandidates);
  };
  const meanCandidates = cases.reduce((sum, { batch }) => sum + batch.count, 0) / cases.length;
  context.addNote(`parts: ${Math.round(meanCandidates)} candidates on average, at most ${maxCandidates}`);

  const onnx = await time((run) => session.run(caseOf(run).batch));
  const onnxRun: Reference = { label: "ONNX run on the same candidates", value: onnx.p50 };
  const add = (
    name: string,
    statistics: typeof onnx,
    baselineReference: Reference | null,
    limitReference: Reference | null = onnxRun,
  ) =>
    context.figures.push({
      section: "parts",
      name,
      unit: "us",
      ...statistics,
      baseline: baselineReference,
      limit: limitReference,
    });

  add(
    "decode the profile",
    await time((i) => decodeProfile(caseOf(i).bytes, "exact")),
    await baseline("JSON.parse of the same profile", (i) => JSON.parse(texts[i % texts.length])),
  );
  add(
    "encode the profile",
    await time((i) => encodeProfile(caseOf(i).query.profile)),
    await baseline("JSON.stringify of the same profile", (i) => jsonOf(caseOf(i).query.profile)),
  );
  add(
    "first-stage candidates",
    await time((i) => market.candidateService.firstStageCandidates(caseOf(i).request.near)),
    await baseline(`first stage over all ${allScores.length.toLocaleString("en")} products`, scoreAll),
  );
  add(
    "columns of the chosen products",
    await time((i) => chosenSource.find(market.candidateService, caseOf(i).request, [])),
    await baseline("JSON.parse of the same products", (i) => JSON.parse(chosenTexts[i % chosenTexts.length])),
  );
  add(
    "columns of the next products",
    await time((i) =>
      nextProductsSource.find(market.candidateService, caseOf(i).request, caseOf(i).knownBlocks),
    ),
    null,
  );
  add(
    "all candidate sources, merged",
    await time((i) => fetchCandidates(caseOf(i).query, market.candidateService)),
    null,
  );
  add(
    "ranking context",
    await time((i) => {
      const { query, offset, point, gathered } = caseOf(i);
      return rankingContext(query.profile, query.now, offset, point, gathered.blocks, gathered.candidates);
    }),
    null,
  );
  add(
    "features",
    await time((i) => {
      const { candidates } = caseOf(i).gathered;
      batches.release(computeFeatures(caseOf(i).context, candidates, batches.acquire(candidates.length)));
    }),
    await baseline("copy of as many bytes", (i) => {
      const { batch } = caseOf(i);
      return [batch.dense.slice(), batch.pair.slice(), batch.category.slice()];
    }),
  );
  const scratch = new Float32Array(featureShape.dense.length);
  for (const [name, family] of Object.entries(featureFamilies))
    add(
      `features: ${name}`,
      await time((i) => {
        const { context: ranking, gathered } = caseOf(i);
        let of: RankedBlock | null = null;
        for (const { block, row, trace } of gathered.candidates) {
          if (of?.block !== block) of = rankedBlock(ranking, block);
          family.fill(of, row, trace, scratch, 0);
        }
      }),
      null,
    );
  add("ONNX run", onnx, null, null);
  add(
    "re-ranking rules",
    await time((i) => applyRules(ranked[i % ranked.length], { limit }, { now: 0 })),
    await baseline("sort of the scores", (i) => scores[i % scores.length].slice().sort()),
  );
  add(
    "whole pipeline",
    await time((i) => {
      const { query, point, offset } = caseOf(i);
      return runPipeline(
        {
          profile: query.profile,
          point,
          now: query.now,
          offsetSeconds: offset,
          filter: {},
          rules: { limit },
          historyRules: defaultHistoryRules,
          maxCandidates,
          explain: false,
          budgetMs: Number.POSITIVE_INFINITY,
        },
        {
          candidateService: market.candidateService,
          rankers: [ranker],
          clock: () => performance.now(),
          batches,
        },
      ).then(({ features }) => batches.release(features));
    }),
    null,
  );
  await session.release();
}

/** Returns a profile as JSON, with maps as lists of their entries. */
const jsonOf = (profile: ReadonlyProfile): string => {
  const { products, dismissed, purchased, categories, places, transitions, ...rest } = profile;
  const maps = [products, dismissed, purchased, categories, places, transitions].map((map) => [...map]);
  return JSON.stringify({ ...rest, maps });
};

const mapRows = <T>(count: number, make: (row: number) => T): T[] =>
  Array.from({ length: count }, (_, row) => make(row));
