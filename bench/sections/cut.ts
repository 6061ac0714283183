import type { CandidateQuery } from "../../model/candidate-query/candidate-query.ts";
import { computeFeatures } from "../../model/features/compute-features.ts";
import { rankingContext } from "../../model/features/ranking-context.ts";
import { fetchCandidates } from "../../model/pipeline/fetch-candidates.ts";
import { finalScores } from "../../model/pipeline/final-scores.ts";
import { maxCandidates } from "../../model/pipeline/run-pipeline.ts";
import { defaultFirstStage } from "../../model/retrieval/first-stage.ts";
import { topIndices } from "../../model/retrieval/top-indices.ts";
import { utcOffsetAt } from "../../shared/geo/local-time.ts";
import { localHourOf } from "../../shared/time/local-clock.ts";
import type { BenchContext } from "../context.ts";
import { type RequestOrigin, sampleRequestOrigins } from "../data/generated-market.ts";
import { summarizeRates } from "../figure.ts";
import { openBundledModel } from "../onnx/bundled-model.ts";

/** Number of users and locations. */
const originCount = 150;
/** Candidates that the network ranks as the reference: more than the first stage ever returns. */
const maxUncutCandidates = 8000;
/** Products at the top of the network's ranking whose recall is measured. */
const topCount = 20;
/** Mean recall that the cut to the production limit must reach. */
const minRecall = 0.98;

/** Measures the recall of the first stage: how much of the network's top 20 remains after a cut to fewer candidates. */
export async function measureCut(context: BenchContext): Promise<void> {
  const { market } = context;
  const { session, manifest } = await openBundledModel();
  const origins = sampleRequestOrigins(market, originCount, 3);
  const queryOf = ({ userId, point }: RequestOrigin, limit: number): CandidateQuery => ({
    profile: market.replay.profile(userId),
    point,
    now: market.now,
    hour: localHourOf(market.now + utcOffsetAt(point.lat, point.lon, market.now)),
    filter: {},
    limit,
    firstStage: manifest.firstStage ?? defaultFirstStage,
  });
  const recallByLimit = new Map<number, number[]>(
    [100, 200, maxCandidates, 1000].map((limit) => [limit, []]),
  );
  let ranked = 0;
  for (const origin of origins) {
    const query = queryOf(origin, maxUncutCandidates);
    const { candidates, blocks } = await fetchCandidates(query, market.candidateService);
    ranked += candidates.length;
    const offset = utcOffsetAt(origin.point.lat, origin.point.lon, market.now);
    const ranking = rankingContext(query.profile, market.now, offset, origin.point, blocks, candidates);
    const scores = finalScores(await session.run(computeFeatures(ranking, candidates)));
    const best = topIndices(scores, scores.length, topCount).map(
      (i) => candidates[i].block.idHash[candidates[i].row],
    );
    for (const [limit, recalls] of recallByLimit) {
      const remaining = (await fetchCandidates(queryOf(origin, limit), market.candidateService)).candidates;
      const hashes = new Set(remaining.map(({ block, row }) => block.idHash[row]));
      recalls.push(best.filter((hash) => hashes.has(hash)).length / best.length);
    }
  }
  await session.release();
  context.addNote(
    `cut: without a cut the network ranked ${Math.round(ranked / origins.length)} products on average`,
  );
  for (const [limit, recalls] of recallByLimit)
    context.figures.push({
      section: "cut",
      name: `recall of the network's top ${topCount} after a cut to ${limit} candidates`,
      unit: "share",
      ...summarizeRates(recalls),
      baseline: { label: "random cut", value: Math.min(1, (limit * origins.length) / ranked) },
      limit: limit === maxCandidates ? { label: "required mean", value: minRecall } : null,
    });
}
