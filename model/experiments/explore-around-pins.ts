import { placePins } from "../rules/pins.ts";
import { type Exploration, explore, type ItemInPlay } from "./exploration.ts";

/**
 * Explores a list whose pinned products are back at their positions: no product is shown in the place of a pinned one.
 * `pinOf` returns the position that a product is pinned to, from 1; undefined for none. See {@link explore}.
 */
export function exploreAroundPins<T>(
  listed: readonly T[],
  pinOf: (item: T) => number | undefined,
  limit: number,
  exploration: Exploration,
  random: () => number,
  mayExplore?: (item: T) => boolean,
): ItemInPlay<T>[] {
  // A product that is not for sale any more lets the ones after it move up.
  const placed = placePins(listed, pinOf);
  const last = placed[limit - 1];
  const isLastPinned = last !== undefined && pinOf(last) !== undefined;
  return explore(placed, limit, isLastPinned ? { ...exploration, rate: 0 } : exploration, random, mayExplore);
}
