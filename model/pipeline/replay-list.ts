import { exploreAroundPins } from "../experiments/explore-around-pins.ts";
import type { Ranker } from "./ports.ts";
import type { RecordedInputs } from "./recorded-inputs.ts";
import { isExplorable, type PipelineAnswer, type PipelineItem, runPipeline } from "./run-pipeline.ts";

/** A list that was computed again. */
export interface ReplayedItem extends Pick<PipelineItem, "productId" | "score"> {
  /** Probability with which the product is shown at its position. */
  propensity: number;
}

/**
 * Computes the list of recorded inputs again, by the model that ranked it. The same code and the same model give the same
 * products, scores and propensities, to the last bit. Throws if exploration draws more random numbers than were recorded:
 * another version of the code recorded the inputs.
 */
export async function replayList(
  { query, blocks, draws, unlisted, listable }: RecordedInputs,
  ranker: Ranker,
): Promise<ReplayedItem[]> {
  const answer = await runPipeline(
    { ...query, explain: false, budgetMs: Number.POSITIVE_INFINITY },
    { candidateService: { gatherCandidates: async () => blocks }, rankers: [ranker], clock: () => 0 },
  );
  let drawn = 0;
  const random = (): number => {
    if (drawn === draws.length) throw new Error("the replay draws more random numbers than were recorded");
    return draws[drawn++];
  };
  const left = new Set(unlisted);
  const ranking = [...answer.items, ...answer.spare()].filter(({ productId }) => !left.has(productId));
  const { rules, exploration = { rate: 0, depth: 0 } } = query;
  return exploreAroundPins(
    ranking.slice(0, listable),
    ({ pin }) => pin,
    rules.limit,
    exploration,
    random,
    isExplorable,
  )
    .inPlay.filter(({ position }) => position > 0)
    .map(({ item: { productId, score }, propensity }) => ({ productId, score, propensity }));
}

/**
 * Returns what the cards left of a ranking. `listable` are the products among which exploration drew, in any order, for a
 * list of `limit` products.
 */
export function listingOf(
  { items, spare }: Pick<PipelineAnswer, "items" | "spare">,
  listable: readonly PipelineItem[],
  limit: number,
): Pick<RecordedInputs, "unlisted" | "listable"> {
  const known = new Set(listable.map(({ index }) => index));
  const ranking = [...items, ...spare()];
  // A list that is full ends the search of listable products at the last one.
  const end =
    listable.length < limit ? ranking.length : ranking.findLastIndex(({ index }) => known.has(index));
  return {
    unlisted: ranking.slice(0, end).flatMap(({ index, productId }) => (known.has(index) ? [] : [productId])),
    listable: listable.length,
  };
}
