import { popularityRanker, recencyRanker } from "../../../model/pipeline/fallback-rankers.ts";
import type { Ranker } from "../../../model/pipeline/ports.ts";
import type { RecommendationInput } from "../../../shared/contracts/recommendation.ts";

/** Returns the rankers of a request that names what scores the products. */
export function rankersBy(rankBy: RecommendationInput["rankBy"], serving: Ranker[]): Ranker[] {
  if (rankBy === "popularity") return [popularityRanker];
  return rankBy === "recency" ? [recencyRanker] : serving;
}
