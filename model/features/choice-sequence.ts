import type { ReadonlyProfile } from "../profile/profile.ts";
import { episodeSeconds } from "../replay/episode.ts";

/** Newest choices that the order features read, at most. */
export const maxSequence = 512;

/** A user's choices in the order in which they were made, oldest first. */
export interface ChoiceSequence {
  /** Product ids, each once. */
  productIds: readonly string[];
  /** For each choice, the index of its product in {@link productIds}. */
  products: Int32Array;
  /** For each choice, its local time in seconds. */
  times: Float64Array;
}

/** Factor that separates a time and the index of a product in one number, which sorts by time. */
const indexRange = 1024;

/**
 * Returns the newest {@link maxSequence} choices in their order, as far as the profile remembers their times. Of the steps
 * of one episode (a view, its click and its purchase) only the first is a choice. A user whose choices all have one type
 * makes no such steps: there, each counts.
 */
export function choiceSequenceOf({ products }: ReadonlyProfile): ChoiceSequence {
  const productIds = [...products.keys()];
  const keys: number[] = [];
  const typesSeen = new Set<number>();
  let index = 0;
  for (const { times, counts } of products.values()) {
    for (const time of times) keys.push(time * indexRange + index);
    for (let type = 0; type < counts.length; type++) if (counts[type] > 0) typesSeen.add(type);
    index++;
  }
  const sorted = Float64Array.from(keys).sort();
  const hasEpisodes = typesSeen.size > 1;
  const all = new Int32Array(sorted.length);
  const times = new Float64Array(sorted.length);
  let count = 0;
  let before = -1;
  let beforeTime = 0;
  for (const key of sorted) {
    const time = Math.floor(key / indexRange);
    const product = key - time * indexRange;
    const isStep = hasEpisodes && product === before && time - beforeTime <= episodeSeconds;
    before = product;
    beforeTime = time;
    if (isStep) continue;
    all[count] = product;
    times[count++] = time;
  }
  const start = Math.max(0, count - maxSequence);
  return { productIds, products: all.subarray(start, count), times: times.subarray(start, count) };
}
