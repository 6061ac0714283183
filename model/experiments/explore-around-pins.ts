import { placePins } from "../rules/pins.ts";
import { drawOrder, type Exploration, type ExploredList, explore, minListLength } from "./exploration.ts";

/**
 * Explores a list whose pinned products are back at their positions: no product is shown in the place of a pinned one.
 * `pinOf` returns the position that a product is pinned to, from 1; undefined for none. The order of a list without pins is
 * drawn in a share of the cases ({@link drawOrder}); the others explore at the last position ({@link explore}).
 */
export function exploreAroundPins<T>(
  listed: readonly T[],
  pinOf: (item: T) => number | undefined,
  limit: number,
  exploration: Exploration,
  random: () => number,
  mayExplore?: (item: T) => boolean,
): ExploredList<T> {
  // A product that is not for sale any more lets the ones after it move up.
  const placed = placePins(listed, pinOf);
  const { share, temperature } = exploration.drawn ?? { share: 0, temperature: 1 };
  const isDrawable =
    share > 0 &&
    Math.min(limit, placed.length) >= minListLength &&
    placed.every((item) => pinOf(item) === undefined);
  if (isDrawable && random() < share)
    return drawOrder(placed, limit, exploration, temperature, random, mayExplore);
  const last = placed[limit - 1];
  const isLastPinned = last !== undefined && pinOf(last) !== undefined;
  const byLast = isLastPinned ? { ...exploration, rate: 0 } : exploration;
  return { inPlay: explore(placed, limit, byLast, random, mayExplore) };
}
