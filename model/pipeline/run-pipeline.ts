import type { ExpressionScope } from "../../shared/contracts/expression.ts";
import type { DecidedFilter, Searched } from "../../shared/contracts/location.ts";
import type { Point } from "../../shared/contracts/primitives.ts";
import type { CandidateSourceName, Stage, TouchedRule } from "../../shared/contracts/recommendation.ts";
import type { ProductRef } from "../../shared/contracts/retrieval.ts";
import { distanceKm } from "../../shared/geo/distance.ts";
import { localHourOf } from "../../shared/time/local-clock.ts";
import { categoryOf } from "../columns/columns.ts";
import { type Exploration, othersInPlay } from "../experiments/exploration.ts";
import { rememberDistances } from "../expressions/distances.ts";
import type { FeatureBatch, Scores } from "../features/batch.ts";
import type { BatchPool } from "../features/batch-pool.ts";
import { type Candidate, computeFeatures } from "../features/compute-features.ts";
import { rankingContext } from "../features/ranking-context.ts";
import { maxCandidatesPerRun } from "../onnx/inspect/limits.ts";
import type { ReadonlyProfile } from "../profile/profile.ts";
import { candidateCapsFor } from "../retrieval/candidate-caps.ts";
import { defaultFirstStage } from "../retrieval/first-stage.ts";
import { fullCategories } from "../rules/caps.ts";
import { removedCategories } from "../rules/category-boost.ts";
import { compileCondition } from "../rules/condition.ts";
import { type HistoryRules, hiddenProducts } from "../rules/hidden-products.ts";
import { expectedWorth } from "../rules/objective.ts";
import { purchasedFactors } from "../rules/purchased-factors.ts";
import type { RankedRow } from "../rules/ranked-row.ts";
import { rejectedCategories } from "../rules/rejected-categories.ts";
import type { RuleContext, Rules } from "../rules/rule.ts";
import { RequestRules } from "../rules/rules.ts";
import { sessionIntent } from "../rules/session-intent.ts";
import { shownFactors } from "../rules/shown-factors.ts";
import { touchedRules } from "../rules/touched-rules.ts";
import { featuresMs, RequestBudget, rankingMs } from "./counted-work.ts";
import { type BlockBySource, fetchCandidates, sourcesOf } from "./fetch-candidates.ts";
import { finalScores, scoresAtDistance } from "./final-scores.ts";
import type { CandidateService, LocationResolution, Ranker } from "./ports.ts";
import { reasonsOf } from "./reasons.ts";
import { type ShownProductRow, shownRowsOf } from "./shown-products.ts";

/** Candidates that the ranker scores at most, when serving, training and evaluating. */
export const maxCandidates = maxCandidatesPerRun;

/** A query of the pipeline: the user, the moment and the rules of one recommendation. */
export interface PipelineQuery {
  profile: ReadonlyProfile;
  /** The user's location, at their precision. */
  point: Point | null;
  /** Seconds since the epoch. */
  now: number;
  /** Offset of the clocks at the user's location from UTC, in seconds. */
  offsetSeconds: number;
  filter: DecidedFilter;
  /** Products to leave out. */
  exclude?: readonly string[];
  /** Ids of the only products that the list may contain; absent for all. */
  only?: readonly string[];
  rules: Rules;
  /** What the conditions of rules may know; absent if there is none. */
  ruleScope?: ExpressionScope;
  /** Products of pages before, which count in the rules. The caller leaves them out by `exclude`; absent for the first page. */
  shown?: readonly ShownProductRow[];
  /** Products that rules name, with their addresses: they are candidates if the filter lets them pass. */
  named?: readonly ProductRef[];
  /** Rules for products that the user dismissed or purchased before. */
  historyRules: HistoryRules;
  /** Whether the list tells nothing of what few users did: the candidate service hides their counts from all rankers. */
  hidesSmallCounts?: boolean;
  /** Candidates that the ranker scores, at most; never fewer than the list has places. */
  maxCandidates: number;
  /** Whether the answer contains reasons. */
  explain: boolean;
  /** Time left for the recommendation, in milliseconds of waits and of counted work; infinity for no limit. */
  budgetMs: number;
  /** How the caller explores the list ({@link explore}): `spare` has the products that it may show; absent for not at all. */
  exploration?: Exploration;
}

/** Services that the pipeline calls. */
export interface PipelinePorts {
  candidateService: CandidateService;
  /** In the order of preference: the first that answers ranks the candidates. */
  rankers: readonly Ranker[];
  /** Returns milliseconds since any fixed start. The clock may stand still while the pipeline computes. */
  clock(): number;
  /** Memory for features; if absent, each ranking allocates its own. */
  batches?: Pick<BatchPool, "acquire">;
}

/** A recommended product. */
export interface PipelineItem {
  productId: string;
  /** Version of the product that the tile shows. */
  version: number;
  /** When the product was created, in seconds since the epoch. */
  createdAt: number;
  score: number;
  /** Position that the product is pinned to, from 1; absent if it is not pinned. */
  pin?: number;
  /** Whether exploration may show the product; absent if it may show all. */
  meetsExploration?: boolean;
  /** Index of the candidate, which is also the row of its features. */
  index: number;
  distanceKm: number | null;
  reasons: string[];
  /** Sources that found the product, and rules that changed its score; empty without an explanation. */
  sources: CandidateSourceName[];
  rules: TouchedRule[];
}

/** Returns whether exploration may show a product. */
export const isExplorable = ({ meetsExploration = true }: PipelineItem): boolean => meetsExploration;

/** A recommendation, with the candidates, features and scores on which it is based. */
export interface PipelineAnswer {
  items: PipelineItem[];
  /**
   * Returns the next best products, best first: they replace items that turn out not to be for sale any more, and
   * exploration shows them.
   */
  spare(): PipelineItem[];
  /** Returns the score that orders the list, by the index of a candidate. */
  listScore(index: number): number;
  ranker: Ranker;
  candidates: Candidate[];
  features: FeatureBatch;
  /** Scores of the model, by candidate. */
  scores: Float32Array;
  /** Logits of the model, by candidate. */
  logits: Scores;
  /** The block of each candidate source. */
  blockBySource: BlockBySource;
  place: LocationResolution;
  /** How far the search for products near the user went; null if it failed. */
  searched: Searched | null;
  stages: Stage[];
  /** What the pipeline left of the time of the query, for work that follows. */
  budget: RequestBudget;
}

/** Products beyond the list that are ranked, to replace items that are not for sale any more. */
const spareItems = 20;

/** Computes one recommendation: fetches candidates, computes their features, scores them and applies the rules. */
export async function runPipeline(query: PipelineQuery, ports: PipelinePorts): Promise<PipelineAnswer> {
  const stages: Stage[] = [];
  const budget = new RequestBudget(query.budgetMs, ports.clock);
  let stageStartedMs = ports.clock();
  const finishStage = (name: string, kind: Stage["kind"], skipped?: string, counted?: number): void => {
    const nowMs = ports.clock();
    stages.push({
      name,
      ms: roundToMicroseconds(nowMs - stageStartedMs),
      kind,
      ...(counted === undefined ? {} : { candidates: counted }),
      ...(skipped ? { skipped } : {}),
    });
    stageStartedMs = nowMs;
  };
  const { profile, point, now, filter, rules } = query;
  const shown = shownRowsOf(query.shown ?? []);
  // A list cannot be longer than its candidates.
  const maxCandidates = Math.max(query.maxCandidates, rules.limit);
  const exclude = [...(query.exclude ?? []), ...hiddenProducts(profile, now, query.historyRules)];
  const firstStage = ports.rankers[0]?.firstStage ?? defaultFirstStage;
  const hour = localHourOf(now + query.offsetSeconds);
  const intent = query.historyRules.intent === "follow" ? sessionIntent(profile, now) : null;
  const candidateQuery = {
    profile,
    point,
    now,
    hour,
    filter,
    named: query.named,
    exclude,
    only: query.only,
    // What no list could show would take the places of other candidates.
    excludeCategories: [...removedCategories(rules.boost), ...fullCategories(shown, rules.perCategory)],
    wantedCategory: intent?.category ?? null,
    hidesSmallCounts: query.hidesSmallCounts,
    limit: maxCandidates,
    caps: candidateCapsFor(maxCandidates, rules.limit, rules.perCategory),
    firstStage,
  };
  const bounded = query.budgetMs < Number.POSITIVE_INFINITY;
  // The candidate sources leave time for what follows, for as many candidates as there may be.
  const reservedMs =
    bounded && ports.rankers.length > 0
      ? featuresMs(maxCandidates) + rankingMs(ports.rankers[0], maxCandidates)
      : 0;
  const profileTimeoutMs = bounded ? Math.max(0, budget.remainingMs - reservedMs) : null;
  const {
    candidates,
    blocks,
    skipped: skippedSources,
    place,
    searched,
    blockBySource,
  } = await fetchCandidates(candidateQuery, ports.candidateService, profileTimeoutMs);
  budget.waited();
  finishStage("sources", "waiting", skippedSources.length > 0 ? skippedSources.join("; ") : undefined);

  const context = rankingContext(profile, now, query.offsetSeconds, point, blocks, candidates);
  const features = computeFeatures(context, candidates, ports.batches?.acquire(candidates.length));
  budget.worked(featuresMs(candidates.length));
  finishStage("features", "computing", undefined, candidates.length);

  const { ranker, scores, logits, skipped } = await scoreCandidates(ports.rankers, features, budget);
  finishStage("rank", "computing", skipped, candidates.length);

  const rejected = rejectedCategories(profile, now);
  const factors = purchasedFactors(profile, candidates, now, query.historyRules);
  const faded = shownFactors(profile, candidates, now, query.historyRules);
  const listScores = scoresAtDistance(scores, candidates, point);
  const worth = rules.objective && expectedWorth(rules.objective, logits, ranker.calibration, candidates);
  /** Returns the factor of the objective on the score of a candidate. */
  const objectiveFactor = (index: number): number =>
    worth && scores[index] > 0 ? worth[index] / scores[index] : 1;
  const ranked = candidates.map(({ block, row }, index): RankedRow & { index: number } => ({
    block,
    row,
    score:
      listScores[index] *
      objectiveFactor(index) *
      (factors.get(index) ?? 1) *
      (faded.get(index) ?? 1) *
      (rejected.get(block.strings[block.category[row]] ?? "") ?? 1),
    index,
  }));
  const { limit } = rules;
  const extraRows = spareItems + (query.exploration ? othersInPlay(query.exploration) : 0);
  // The rules apply to the spare products too: they are the end of a longer list.
  const ruleContext: RuleContext = {
    now,
    intent,
    ...(query.ruleScope
      ? {
          expressions: {
            ...{ ...query.ruleScope, point },
            ...(point ? { distances: rememberDistances(point) } : {}),
          },
        }
      : {}),
  };
  const requestRules = new RequestRules(rules, ruleContext);
  const explorationCondition = query.exploration?.when;
  const meetsExploration =
    explorationCondition === undefined ? null : compileCondition(explorationCondition, ruleContext);
  const order = requestRules.list(ranked, extraRows, shown);
  const touchedBy = ({ block, row, index, pin }: (typeof order)[number]): TouchedRule[] => {
    return [
      ...touchedRules([
        { rule: "distance", factor: listScores[index] / scores[index] },
        { rule: "objective", factor: objectiveFactor(index) },
        { rule: "purchased", factor: factors.get(index) },
        { rule: "shown", factor: faded.get(index) },
        { rule: "dismissed", factor: rejected.get(categoryOf(block, row)) },
      ]),
      ...requestRules.touched({ block, row }),
      ...(pin === undefined ? [] : [{ rule: "pin" }]),
    ];
  };
  const width = features.dense.length / Math.max(1, features.count);
  const itemOf = (ordered: (typeof order)[number]): PipelineItem => {
    const { block, row, score: value, index, pin } = ordered;
    const km = point ? distanceKm(point.lat, point.lon, block.lat[row], block.lon[row]) : Number.NaN;
    return {
      productId: block.id(row),
      version: block.version[row],
      createdAt: block.createdAt[row],
      score: value,
      ...(pin === undefined ? {} : { pin }),
      ...(meetsExploration ? { meetsExploration: meetsExploration.isMet(ordered) } : {}),
      index,
      distanceKm: Number.isNaN(km) ? null : km,
      ...(query.explain
        ? {
            reasons: reasonsOf(features.dense, index * width),
            sources: sourcesOf(candidates[index], blockBySource),
            rules: touchedBy(ordered),
          }
        : { reasons: [], sources: [], rules: [] }),
    };
  };
  const items = order.slice(0, limit).map(itemOf);
  const spare = (): PipelineItem[] => order.slice(limit).map(itemOf);
  const listScore = (index: number): number => {
    const { block, row, score } = ranked[index];
    return requestRules.score({ block, row }, score) ?? 0;
  };
  finishStage("rules", "computing", undefined, candidates.length);
  return {
    ...{ items, spare, listScore, ranker, candidates, features, scores, logits },
    ...{ blockBySource, place, searched, stages, budget },
  };
}

/**
 * Returns the scores of the first ranker that answers. `skipped` names the rankers that failed, and those that were not
 * called because their counted work exceeds the budget. The last ranker is always called.
 */
async function scoreCandidates(
  rankers: readonly Ranker[],
  features: FeatureBatch,
  budget: RequestBudget,
): Promise<{ ranker: Ranker; scores: Float32Array; logits: Scores; skipped?: string }> {
  const failed: string[] = [];
  for (const [i, ranker] of rankers.entries()) {
    const last = i === rankers.length - 1;
    const ms = rankingMs(ranker, features.count);
    if (!last && budget.remainingMs < ms) {
      failed.push(`${ranker.version}: budget`);
      continue;
    }
    budget.worked(ms);
    try {
      const logits = await ranker.score(features);
      const scores = finalScores(logits);
      // Numbers that are not finite have no order.
      if (scores.length !== features.count || !scores.every(Number.isFinite))
        throw new Error(`the ranker "${ranker.version}" did not return one finite score for each candidate`);
      return { ranker, scores, logits, ...(failed.length > 0 ? { skipped: failed.join("; ") } : {}) };
    } catch (error) {
      if (last) throw error;
      failed.push(`${ranker.version}: failed`);
    }
  }
  throw new Error("`rankers` is empty: the pipeline needs at least one ranker");
}

const roundToMicroseconds = (ms: number): number => Math.round(ms * 1000) / 1000;
