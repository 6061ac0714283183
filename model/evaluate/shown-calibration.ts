import { daySeconds } from "../../shared/time/seconds.ts";
import { inProcessCandidates } from "../candidate-sources/in-process-candidates.ts";
import type { Dataset, DatasetEvent } from "../data/dataset.ts";
import type { Ranker } from "../pipeline/ports.ts";
import { fitPlatt, type LabeledLogit, type PlattScaling } from "../recalibrate/calibration.ts";
import { startsEpisode } from "../replay/episode.ts";
import { Replay } from "../replay/replay.ts";
import { tilePyramidAfter } from "../replay/tile-pyramid.ts";

/** Products of a list that a user sees. */
const shownLength = 10;
/** Time after a choice in which a purchase of the same product belongs to it, in seconds. */
const purchaseSeconds = daySeconds;

/** The logits of shown products with their outcomes, by head. */
export interface ShownOutcomes {
  click: LabeledLogit[];
  purchase: LabeledLogit[];
}

/**
 * Returns the logits of the ten products that the pipeline shows before each choice of a part of the dataset, and what the
 * user chose and purchased of them. Of the choices, every `sampleEvery`-th counts. Events before the part are known.
 */
export async function shownOutcomes(
  dataset: Dataset,
  part: "valid" | "test",
  ranker: Ranker,
  sampleEvery: number,
): Promise<ShownOutcomes> {
  const byTime = (events: readonly DatasetEvent[]): DatasetEvent[] =>
    events.toSorted((a, b) => a.time - b.time);
  const past = byTime(part === "valid" ? dataset.train : [...dataset.train, ...dataset.valid]);
  const events = byTime(dataset[part]);
  const snapshotTime = past.at(-1)?.time ?? 0;
  const pyramid = tilePyramidAfter(dataset, past, snapshotTime);
  const replay = new Replay(
    dataset.items,
    inProcessCandidates(pyramid, () => snapshotTime),
  );
  for (const event of past) replay.applyEvent(event);
  const purchases = purchaseTimes(events);
  const outcomes: ShownOutcomes = { click: [], purchase: [] };
  for (const [i, event] of events.entries()) {
    const { userId, itemId, time, type } = event;
    if (i % sampleEvery === 0 && type !== "dismiss" && startsEpisode(replay.profile(userId), event)) {
      const times = purchases.get(JSON.stringify([userId, itemId])) ?? [];
      const isPurchased = times.some((at) => at >= time && at < time + purchaseSeconds);
      const { items, logits } = await replay.recommend({ userId, time, limit: shownLength }, ranker, () => 0);
      for (const { productId, index } of items) {
        const isChosen = productId === itemId;
        outcomes.click.push({ logit: logits.engage[index], outcome: isChosen ? 1 : 0, weight: 1 });
        outcomes.purchase.push({
          logit: logits.purchase[index],
          outcome: isChosen && isPurchased ? 1 : 0,
          weight: 1,
        });
      }
    }
    replay.applyEvent(event);
  }
  return outcomes;
}

/** Returns when users purchased products, by user and product. */
function purchaseTimes(events: readonly DatasetEvent[]): Map<string, number[]> {
  const times = new Map<string, number[]>();
  for (const { userId, itemId, type, time } of events) {
    if (type !== "purchase") continue;
    const key = JSON.stringify([userId, itemId]);
    times.set(key, [...(times.get(key) ?? []), time]);
  }
  return times;
}

/** Returns the scaling of both heads that fits the outcomes of shown products. */
export const shownCalibration = ({
  click,
  purchase,
}: ShownOutcomes): { click: PlattScaling; purchase: PlattScaling } => ({
  click: fitPlatt(click),
  purchase: fitPlatt(purchase),
});
