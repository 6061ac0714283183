import type { Dataset, DatasetEvent } from "../dataset.ts";

/** An event with the part of the dataset that it belongs to. */
export interface PartedEvent {
  event: DatasetEvent;
  part: "train" | "valid" | "test";
}

const parts = ["train", "valid", "test"] as const;

/**
 * Returns the dataset with the events that `replace` makes of each user's events, which it gets in time order. Each stays in its
 * part, and each part is in time order again.
 */
export function replaceEvents(
  dataset: Dataset,
  replace: (events: readonly PartedEvent[], userId: string) => readonly PartedEvent[],
): Dataset {
  const byUser = new Map<string, PartedEvent[]>();
  for (const part of parts)
    for (const event of dataset[part]) {
      const own = byUser.get(event.userId) ?? [];
      byUser.set(event.userId, own);
      own.push({ event, part });
    }
  const replaced: Record<(typeof parts)[number], DatasetEvent[]> = { train: [], valid: [], test: [] };
  for (const [userId, own] of byUser)
    for (const { event, part } of replace(own, userId)) replaced[part].push(event);
  for (const part of parts) replaced[part].sort((a, b) => a.time - b.time);
  return { ...dataset, ...replaced };
}
