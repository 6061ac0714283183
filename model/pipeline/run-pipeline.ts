import type { ProductFilter } from "../../shared/contracts/location.ts";
import type { Point } from "../../shared/contracts/primitives.ts";
import type { Stage } from "../../shared/contracts/recommendation.ts";
import { distanceKm } from "../../shared/geo/distance.ts";
import { type Exploration, explore } from "../experiments/exploration.ts";
import type { FeatureBatch, Scores } from "../features/batch.ts";
import type { BatchPool } from "../features/batch-pool.ts";
import { type Candidate, computeFeatures } from "../features/compute-features.ts";
import { rankingContext } from "../features/ranking-context.ts";
import { type UserProfile } from "../profile/profile.ts";
import { localHourOf } from "../../shared/time/local-clock.ts";
import { defaultFirstStage } from "../retrieval/first-stage.ts";
import { applyRules, type Rules } from "../rules/rules.ts";
import { fetchCandidates } from "./fetch-candidates.ts";
import type { CandidateService, Ranker, LocationResolution } from "./ports.ts";
import { reasonsOf } from "./reasons.ts";

/** Candidates that the ranker sees, when serving and when training and evaluating. */
export const maxCandidates = 500;

/** What is asked of the pipeline. */
export interface PipelineQuery {
  profile: UserProfile;
  /** Where the person is, at their precision. */
  point: Point | null;
  /** Seconds since the epoch. */
  now: number;
  /** Seconds that the clocks of the place are ahead of UTC. */
  offsetSeconds: number;
  filter: ProductFilter;
  rules: Rules;
  /** Most candidates that the ranker sees. */
  maxCandidates: number;
  explain: boolean;
  /** Milliseconds that are left; without a bound, infinity. */
  budgetMs: number;
  /** How much of the list is left to chance; without it, nothing. */
  exploration?: Exploration;
}

/** What it needs from outside. */
export interface PipelinePorts {
  candidateService: CandidateService;
  /** In the order of preference: the first that answers ranks. */
  rankers: readonly Ranker[];
  /** Milliseconds, from any start. */
  clock(): number;
  /** Memory for features; without it each ranking allocates its own. */
  batches?: Pick<BatchPool, "take">;
  /** Numbers in [0, 1), for exploration; without it nothing is explored. */
  random?(): number;
}

/** A shown product. */
export interface PipelineItem {
  productId: string;
  /** Of the product, as its tile shows it. */
  version: number;
  cell: string | null;
  score: number;
  /** Index among the candidates: its features' row. */
  index: number;
  distanceKm: number | null;
  reasons: string[];
  /** Probability with which the product is shown in its place; 1 where nothing was left to chance. */
  propensity: number;
}

/** What was decided, and on what. */
export interface PipelineAnswer {
  items: PipelineItem[];
  ranker: Ranker;
  candidates: Candidate[];
  features: FeatureBatch;
  /** Final scores, by candidate. */
  scores: Float32Array;
  /** Names of where the person is. */
  place: LocationResolution;
  stages: Stage[];
}

const noExploration: Exploration = { rate: 0, depth: 0 };

/** Milliseconds that features, ranking and rules take at least: sources that would eat them are left out. */
const reservedMs = 3;

/**
 * The value of showing a candidate: the probability of any interaction, and on top that of a purchase, which is worth
 * this many times as much.
 */
export const purchaseValue = 2;
const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));

/** The score by which candidates are ordered, from the two heads. */
export function finalScores({ engage, purchase }: Scores): Float32Array {
  return Float32Array.from(engage, (logit, i) => sigmoid(logit) + purchaseValue * sigmoid(purchase[i]));
}

/** Sources, features, ranker, rules: one recommendation. */
export async function runPipeline(query: PipelineQuery, ports: PipelinePorts): Promise<PipelineAnswer> {
  const stages: Stage[] = [];
  const started = ports.clock();
  let lap = started;
  const finishStage = (name: string, skipped?: string): void => {
    const now = ports.clock();
    stages.push({ name, ms: round(now - lap), ...(skipped ? { skipped } : {}) });
    lap = now;
  };
  const { profile, point, now, filter, maxCandidates } = query;
  const firstStage = ports.rankers[0]?.firstStage ?? defaultFirstStage;
  const hour = localHourOf(now + query.offsetSeconds);
  const source = { profile, point, now, hour, filter, limit: maxCandidates, firstStage };
  const bounded = query.budgetMs < Number.POSITIVE_INFINITY;
  const profileTimeoutMs = bounded ? Math.max(0, query.budgetMs - (ports.clock() - started) - reservedMs) : null;
  const { candidates, blocks, skipped: skippedSources, place } = await fetchCandidates(source, ports.candidateService, profileTimeoutMs);
  finishStage("sources", skippedSources.length > 0 ? skippedSources.join("; ") : undefined);

  const context = rankingContext(profile, now, query.offsetSeconds, point, blocks, candidates);
  const features = computeFeatures(context, candidates, ports.batches?.acquire(candidates.length));
  finishStage("features");

  const left = query.budgetMs - (ports.clock() - started);
  const { ranker, scores, skipped } = await score(ports.rankers, features, left);
  finishStage("rank", skipped);

  const ranked = candidates.map(({ block, row }, index) => ({ block, row, score: scores[index], index }));
  const exploration = (ports.random && query.exploration) || noExploration;
  const { limit } = query.rules;
  // What may come in the last place obeys the rules too: it is what a longer list would go on with.
  const extraRows = exploration.rate > 0 ? exploration.depth : 0;
  const order = applyRules(ranked, { ...query.rules, limit: limit + extraRows });
  const list = explore(order, limit, exploration, ports.random ?? Math.random);
  const width = features.dense.length / Math.max(1, features.count);
  const items = list.map(({ item: { block, row, score: value, index }, propensity }) => {
    const km = point ? distanceKm(point.lat, point.lon, block.lat[row], block.lon[row]) : Number.NaN;
    return {
      productId: block.id(row),
      version: block.version[row],
      cell: block.strings[block.cell[row]] ?? null,
      score: value,
      index,
      distanceKm: Number.isNaN(km) ? null : km,
      reasons: query.explain ? reasonsOf(features.dense, index * width) : [],
      propensity,
    };
  });
  finishStage("rules");
  return { items, ranker, candidates, features, scores, place, stages };
}

/** The first ranker that answers; one that fails is named, and with no time left only the last is asked. */
async function score(
  rankers: readonly Ranker[],
  features: FeatureBatch,
  leftMs: number,
): Promise<{ ranker: Ranker; scores: Float32Array; skipped?: string }> {
  const failed: string[] = [];
  for (const [i, ranker] of rankers.entries()) {
    const last = i === rankers.length - 1;
    if (!last && leftMs < 1) {
      failed.push(`${ranker.version}: budget`);
      continue;
    }
    try {
      const scores = finalScores(await ranker.score(features));
      return { ranker, scores, ...(failed.length > 0 ? { skipped: failed.join("; ") } : {}) };
    } catch (error) {
      if (last) throw error;
      failed.push(`${ranker.version}: failed`);
    }
  }
  throw new Error("no ranker was given");
}

const round = (ms: number): number => Math.round(ms * 1000) / 1000;
