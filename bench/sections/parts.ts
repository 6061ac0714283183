import type { CandidateQuery } from "../../model/candidate-query/candidate-query.ts";
import { candidateRequestOf } from "../../model/candidate-query/candidate-request.ts";
import { categoryAffinities } from "../../model/candidate-query/category-affinities.ts";
import { usualPlaces } from "../../model/candidate-query/usual-places.ts";
import { chosenSource } from "../../model/candidate-sources/chosen-source.ts";
import { gatherCandidates } from "../../model/candidate-sources/gather-candidates.ts";
import { nextProductsSource } from "../../model/candidate-sources/next-products-source.ts";
import { BatchPool } from "../../model/features/batch-pool.ts";
import { computeFeatures, featureFamilies, featureShape } from "../../model/features/compute-features.ts";
import { rankingContext } from "../../model/features/ranking-context.ts";
import { fetchCandidates } from "../../model/pipeline/fetch-candidates.ts";
import type { Ranker } from "../../model/pipeline/ports.ts";
import { finalScores, maxCandidates, runPipeline } from "../../model/pipeline/run-pipeline.ts";
import { decodeProfile, encodeProfile } from "../../model/profile/codec.ts";
import { affinityWeights, categoryHoursOf } from "../../model/retrieval/category-affinity.ts";
import { defaultFirstStage } from "../../model/retrieval/first-stage.ts";
import { proximityPointsOf, scoreRows } from "../../model/retrieval/score-rows.ts";
import { topIndices } from "../../model/retrieval/top-indices.ts";
import { applyRules } from "../../model/rules/rules.ts";
import type { FirstStage } from "../../shared/contracts/retrieval.ts";
import { utcOffsetAt } from "../../shared/geo/local-time.ts";
import { localHourOf } from "../../shared/time/local-clock.ts";
import type { BenchContext } from "../context.ts";
import { type RequestOrigin, sampleRequestOrigins } from "../data/market.ts";
import { type IndexedMarket, leafTiles } from "../data/world.ts";
import type { Reference } from "../figure.ts";
import { openBundledModel } from "../onnx/bundled-model.ts";
import { measureMicroseconds, type RunLimits } from "../timing.ts";

/** Different people and places; each part is run on all of them in turn. */
const visitCount = 100;
const bounds: RunLimits = { warmUp: 100, runs: 1000, seconds: 6 };
const baselineBounds: RunLimits = { warmUp: 20, runs: 200, seconds: 2 };
/** Items of an answer. */
const limit = 10;

/** One visit with what each part is given: everything that the parts before it make. */
async function prepare(
  { userId, point }: RequestOrigin,
  { replay, candidates: places, now }: IndexedMarket,
  firstStage: FirstStage,
) {
  const person = replay.profile(userId);
  const offset = utcOffsetAt(point.lat, point.lon, now);
  const hour = localHourOf(now + offset);
  const query: CandidateQuery = {
    profile: person,
    point,
    now,
    hour,
    filter: {},
    limit: maxCandidates,
    firstStage,
  };
  const asked = candidateRequestOf(query);
  const { near, chosen: own } = await gatherCandidates(places, asked);
  const brought = [own, near].filter((block) => block !== null);
  const gathered = await fetchCandidates(query, places);
  const context = rankingContext(person, now, offset, point, gathered.blocks, gathered.candidates);
  const batch = computeFeatures(context, gathered.candidates);
  return {
    query,
    point,
    offset,
    bytes: encodeProfile(person),
    asked,
    own,
    brought,
    gathered,
    context,
    batch,
  };
}

/** The parts of a recommendation over hot tiles in Node, without workers between them, in microseconds. */
export async function measureParts(context: BenchContext): Promise<void> {
  const { market: world } = context;
  const { session, manifest } = await openBundledModel();
  const ranker: Ranker = { ...manifest, score: (batch) => session.run(batch) };
  const firstStage = manifest.firstStage ?? defaultFirstStage;
  const visits = await Promise.all(
    sampleRequestOrigins(world, visitCount, 1).map((visit) => prepare(visit, world, firstStage)),
  );
  const at = (run: number) => visits[run % visits.length];
  const time = (work: (run: number) => unknown) => measureMicroseconds(work, bounds);
  const baseline = async (what: string, work: (run: number) => unknown): Promise<Reference> => ({
    label: what,
    value: (await measureMicroseconds(work, baselineBounds)).p50,
  });

  const scores = await Promise.all(visits.map(async ({ batch }) => finalScores(await session.run(batch))));
  const ranked = visits.map(({ gathered }, i) =>
    gathered.candidates.map(({ block, row }, index) => ({ block, row, score: scores[i][index], index })),
  );
  const batches = new BatchPool(featureShape, maxCandidates);
  const texts = visits.map(({ bytes }) => new TextDecoder().decode(bytes));
  const rows = visits.map(({ own }) =>
    JSON.stringify(own ? rowsOf(own.count, (row) => world.dataset.items.get(own.id(row))) : []),
  );
  const leaves = await leafTiles(world.tiles);
  const every = new Float64Array(leaves.reduce((sum, leaf) => sum + leaf.count, 0));
  const scoreAll = (run: number): number[] => {
    const { query, point } = at(run);
    const vantage = proximityPointsOf(point, usualPlaces(query.profile, query.now), firstStage);
    const affinities = affinityWeights(
      categoryHoursOf(leaves),
      query.hour,
      categoryAffinities(query.profile),
      firstStage,
    );
    let start = 0;
    for (const leaf of leaves) {
      scoreRows(leaf, vantage, affinities, firstStage, every.subarray(start));
      start += leaf.count;
    }
    return topIndices(every, every.length, maxCandidates);
  };
  const mean = visits.reduce((sum, { batch }) => sum + batch.count, 0) / visits.length;
  context.addNote(`parts: ${Math.round(mean)} candidates on average, at most ${maxCandidates}`);

  const onnx = await time((run) => session.run(at(run).batch));
  const run: Reference = { label: "ONNX run of the same candidates", value: onnx.p50 };
  const add = (name: string, summary: typeof onnx, against: Reference | null, most: Reference | null = run) =>
    context.figures.push({ section: "parts", name, unit: "us", ...summary, baseline: against, limit: most });

  add(
    "person decoded",
    await time((i) => decodeProfile(at(i).bytes)),
    await baseline("JSON.parse alone", (i) => JSON.parse(texts[i % texts.length])),
  );
  add(
    "person encoded",
    await time((i) => encodeProfile(at(i).query.profile)),
    await baseline("UTF-8 alone", (i) => new TextEncoder().encode(texts[i % texts.length])),
  );
  add(
    "candidates",
    await time((i) => world.candidates.firstStageCandidates(at(i).asked.near)),
    await baseline(`first stage over all ${every.length.toLocaleString("en")}`, scoreAll),
  );
  add(
    "columns of what was chosen",
    await time((i) => chosenSource.find(world.candidates, at(i).asked, [])),
    await baseline("the same from JSON", (i) => JSON.parse(rows[i % rows.length])),
  );
  add(
    "columns of what followed",
    await time((i) => nextProductsSource.find(world.candidates, at(i).asked, at(i).brought)),
    null,
  );
  add("all sources, merged", await time((i) => fetchCandidates(at(i).query, world.candidates)), null);
  add(
    "context of the ranking",
    await time((i) => {
      const { query, offset, point, gathered } = at(i);
      return rankingContext(query.profile, query.now, offset, point, gathered.blocks, gathered.candidates);
    }),
    null,
  );
  add(
    "features",
    await time((i) => {
      const { candidates } = at(i).gathered;
      batches.release(computeFeatures(at(i).context, candidates, batches.acquire(candidates.length)));
    }),
    await baseline("as many bytes copied", (i) => {
      const { batch } = at(i);
      return [batch.dense.slice(), batch.pair.slice(), batch.category.slice()];
    }),
  );
  const scratch = new Float32Array(featureShape.dense.length);
  for (const [name, family] of Object.entries(featureFamilies))
    add(
      `features: ${name}`,
      await time((i) => {
        const { context: ranking, gathered } = at(i);
        for (const { block, row, trace } of gathered.candidates)
          family.fill(ranking, block, row, trace, scratch, 0);
      }),
      null,
    );
  add("ONNX", onnx, null, null);
  add(
    "rules",
    await time((i) => applyRules(ranked[i % ranked.length], { limit })),
    await baseline("scores sorted", (i) => scores[i % scores.length].slice().sort()),
  );
  add(
    "the whole pipeline",
    await time((i) => {
      const { query, point, offset } = at(i);
      return runPipeline(
        {
          profile: query.profile,
          point,
          now: query.now,
          offsetSeconds: offset,
          filter: {},
          rules: { limit },
          maxCandidates,
          explain: false,
          budgetMs: Number.POSITIVE_INFINITY,
        },
        { candidateService: world.candidates, rankers: [ranker], clock: () => performance.now(), batches },
      ).then(({ features }) => batches.release(features));
    }),
    null,
  );
  await session.release();
}

const rowsOf = <T>(count: number, make: (row: number) => T): T[] =>
  Array.from({ length: count }, (_, row) => make(row));
