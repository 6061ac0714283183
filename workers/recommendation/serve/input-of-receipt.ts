import { sourcesOf } from "../../../model/pipeline/fetch-candidates.ts";
import type { PipelineAnswer, PipelineQuery } from "../../../model/pipeline/run-pipeline.ts";
import type { ReceiptInput } from "../../../shared/contracts/receipt.ts";
import type {
  CandidateSourceName,
  CompleteRecommendationInput,
} from "../../../shared/contracts/recommendation.ts";

/**
 * Returns a request with its defaults as a receipt shows it: with the currency of the filter and the settings of the
 * deployment, and without the user and the place, which the receipt names as far as its reader may know them.
 */
export function inputOfReceipt(
  {
    userId: _user,
    location: _location,
    purchased: _purchased,
    cursor: _cursor,
    ...input
  }: CompleteRecommendationInput,
  { filter, historyRules, exploration, hidesSmallCounts = false }: PipelineQuery,
): ReceiptInput {
  const { expressionScope: _scope, ...shownFilter } = filter;
  return {
    ...input,
    filter: shownFilter,
    ...historyRules,
    exploration: {
      rate: exploration?.rate ?? 0,
      depth: exploration?.depth ?? 0,
      ...(exploration?.drawn ? { drawn: exploration.drawn.share } : {}),
    },
    hidesSmallCounts,
  };
}

/** Returns how many of the candidates each source found. */
export function countSources({
  candidates,
  blockBySource,
}: Pick<PipelineAnswer, "candidates" | "blockBySource">): Record<CandidateSourceName, number> {
  const counts = { near: 0, chosen: 0, next: 0 };
  for (const candidate of candidates)
    for (const source of sourcesOf(candidate, blockBySource)) counts[source]++;
  return counts;
}
