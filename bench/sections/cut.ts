import type { CandidateQuery } from "../../model/candidate-query/candidate-query.ts";
import { computeFeatures } from "../../model/features/compute-features.ts";
import { rankingContext } from "../../model/features/ranking-context.ts";
import { fetchCandidates } from "../../model/pipeline/fetch-candidates.ts";
import { finalScores, maxCandidates } from "../../model/pipeline/run-pipeline.ts";
import { defaultFirstStage } from "../../model/retrieval/first-stage.ts";
import { topIndices } from "../../model/retrieval/top-indices.ts";
import { utcOffsetAt } from "../../shared/geo/local-time.ts";
import { localHourOf } from "../../shared/time/local-clock.ts";
import type { BenchContext } from "../context.ts";
import { type RequestOrigin, sampleRequestOrigins } from "../data/market.ts";
import { summarizeRates } from "../figure.ts";
import { openBundledModel } from "../onnx/bundled-model.ts";

/** Different people and places. */
const visitCount = 150;
/** Products that the network ranks where nothing is cut: all that the first stage could have let through. */
const uncut = 8000;
/** What counts: the network's first so many. */
const first = 20;

/** How much of what the network would show first the first stage lets through, when it cuts to fewer and fewer. */
export async function measureCut(context: BenchContext): Promise<void> {
  const { market: world } = context;
  const { session, manifest } = await openBundledModel();
  const visits = sampleRequestOrigins(world, visitCount, 3);
  const queryOf = ({ userId, point }: RequestOrigin, limit: number): CandidateQuery => ({
    profile: world.replay.profile(userId),
    point,
    now: world.now,
    hour: localHourOf(world.now + utcOffsetAt(point.lat, point.lon, world.now)),
    filter: {},
    limit,
    firstStage: manifest.firstStage ?? defaultFirstStage,
  });
  const kept = new Map<number, number[]>([100, 200, maxCandidates, 1000].map((limit) => [limit, []]));
  let ranked = 0;
  for (const visit of visits) {
    const query = queryOf(visit, uncut);
    const { candidates, blocks } = await fetchCandidates(query, world.candidates);
    ranked += candidates.length;
    const offset = utcOffsetAt(visit.point.lat, visit.point.lon, world.now);
    const ranking = rankingContext(query.profile, world.now, offset, visit.point, blocks, candidates);
    const values = finalScores(await session.run(computeFeatures(ranking, candidates)));
    const best = topIndices(values, values.length, first).map(
      (i) => candidates[i].block.idHash[candidates[i].row],
    );
    for (const [limit, shares] of kept) {
      const through = (await fetchCandidates(queryOf(visit, limit), world.candidates)).candidates;
      const hashes = new Set(through.map(({ block, row }) => block.idHash[row]));
      shares.push(best.filter((hash) => hashes.has(hash)).length / best.length);
    }
  }
  await session.release();
  context.addNote(
    `cut: the network ranked ${Math.round(ranked / visits.length)} products where nothing was cut`,
  );
  for (const [limit, shares] of kept)
    context.figures.push({
      section: "cut",
      name: `of the network's first ${first}, kept by a cut to ${limit}`,
      unit: "share",
      ...summarizeRates(shares),
      baseline: { label: "a cut by chance", value: Math.min(1, (limit * visits.length) / ranked) },
      limit: limit === maxCandidates ? { label: "wanted on average", value: 0.98 } : null,
    });
}
