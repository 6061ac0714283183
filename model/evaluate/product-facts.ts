import type { DatasetEvent, DatasetItem } from "../data/dataset.ts";

/** Share (0 to 1) of the past events, the newest, in which a product that nobody chose before counts as late. */
const lateShare = 0.1;

/** Returns the products that somebody chose in the newest tenth of the past events, and nobody before. `past` is in time order. */
export function lateProducts(past: readonly DatasetEvent[]): Set<string> {
  const choices = past.filter(({ type }) => type !== "dismiss");
  const late = new Set<string>();
  const early = Math.floor(choices.length * (1 - lateShare));
  for (const { itemId } of choices.slice(early)) late.add(itemId);
  for (const { itemId } of choices.slice(0, early)) late.delete(itemId);
  return late;
}

/**
 * Returns whether text tells what a product is about: a title of its own, a description, a brand, or an attribute in words. A
 * title that was made of the category and the id, for a file without titles, does not.
 */
export function hasContent({ id, title, category, attributes, details }: DatasetItem): boolean {
  const madeTitle = title === "" || title === id || title === `${category || "unknown"} ${id}`;
  const hasWords = Object.values(attributes).some((value) => typeof value === "string" && value !== "");
  return !madeTitle || Boolean(details?.description) || Boolean(details?.brand) || hasWords;
}
