import { type Exploration, type ExploredList, othersInPlay } from "../../../model/experiments/exploration.ts";
import { exploreAroundPins } from "../../../model/experiments/explore-around-pins.ts";
import {
  isExplorable,
  type PipelineAnswer,
  type PipelineItem,
} from "../../../model/pipeline/run-pipeline.ts";
import type { RowTest } from "../../../model/retrieval/filter.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import type { ProductApi } from "../../../shared/services/product-api.ts";
import { cardFromTile } from "./card-from-tile.ts";
import { type ListedProduct, listProducts } from "./listed-products.ts";

/** What decides which of the ranked products a list shows. */
export interface ListRule {
  limit: number;
  /** Returns whether a product may be listed; see {@link listProducts}. */
  test: RowTest;
  exploration: Exploration;
  /** Whether the list may have several variants of a product. */
  showsVariants?: boolean;
}

/**
 * Returns the products that the list of an answer might show, with their propensities: the shown ones first. Exploration
 * draws among products that are known to be listable, so that the propensities are those of the list that is shown: no
 * product moves up afterwards. If the catalog is unreachable, cards come from the tiles, without images, and `skipped`
 * says so. `random` returns numbers in [0, 1).
 */
export async function exploredList(
  catalog: Pick<ProductApi, "getCards">,
  application: string,
  { items, spare, candidates }: Pick<PipelineAnswer, "items" | "spare" | "candidates">,
  { limit, test, exploration, showsVariants }: ListRule,
  random: () => number,
): Promise<ExploredList<ListedProduct<PipelineItem>> & { skipped?: string }> {
  const explored = (listable: readonly ListedProduct<PipelineItem>[]) =>
    exploreAroundPins(
      listable,
      ({ ranked }) => ranked.pin,
      limit,
      exploration,
      random,
      ({ ranked }) => isExplorable(ranked),
    );
  const others = othersInPlay(exploration);
  try {
    const listed = await listProducts(
      catalog,
      application,
      { items, spare },
      limit,
      test,
      others,
      showsVariants,
    );
    return explored(unwrap(listed, "the product service"));
  } catch (error) {
    console.error({ event: "product cards unavailable", error: errorText(error) });
    const ranking = others > 0 ? [...items, ...spare().slice(0, others)] : items;
    const listable = ranking.map((ranked) => {
      const { block, row } = candidates[ranked.index];
      return { ranked, card: cardFromTile(block, row) };
    });
    return {
      ...explored(listable),
      skipped: "the catalog: failed, tiles stand in for cards",
    };
  }
}
