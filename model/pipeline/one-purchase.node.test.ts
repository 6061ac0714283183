import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { modelManifest } from "../../shared/contracts/model.ts";
import { inProcessCandidates } from "../candidate-sources/in-process-candidates.ts";
import type { DatasetEvent, DatasetItem } from "../data/dataset.ts";
import { featureShape } from "../features/compute-features.ts";
import { loadModelInNode } from "../onnx/load-model.node.ts";
import { emptyProfile } from "../profile/profile.ts";
import { servingCounts, tilePyramidAfter } from "../replay/tile-pyramid.ts";
import { defaultHistoryRules } from "../rules/hidden-products.ts";
import type { Ranker } from "./ports.ts";
import { runPipeline } from "./run-pipeline.ts";

/** An island far from everything, with six new products. */
const now = 1_760_000_000;
const island = { lat: -15.95, lon: -5.7 };
const ids = ["a", "b", "c", "d", "e", "f"];
const items = new Map(
  ids.map((id, i): [string, DatasetItem] => [
    id,
    {
      ...{ id, title: id, category: i % 2 ? "cafe" : "museum", price: null, currency: null },
      ...{ discount: 0, rating: null, attributes: {}, lat: island.lat + i / 1000, lon: island.lon },
    },
  ]),
);
const event = (userId: string, type: DatasetEvent["type"], itemId: string): DatasetEvent => ({
  ...{ userId, itemId, type, lat: null, lon: null, time: now - 600 },
});

const artifact = (name: string): Buffer => readFileSync(join(import.meta.dirname, "../artifacts", name));
const { version, firstStage } = modelManifest.parse(JSON.parse(artifact("bundled.json").toString()));
const session = await loadModelInNode(artifact("bundled.onnx"), featureShape);
const ranker: Ranker = { version, sha256: "", firstStage, score: (batch) => session.run(batch) };

/** Returns the scores of the island's products in a new user's list, after some events of others. */
async function scoresAfter(
  events: DatasetEvent[],
  hidesSmallCounts: boolean,
): Promise<Record<string, number>> {
  const pyramid = tilePyramidAfter({ items }, events, now, servingCounts);
  const { items: list } = await runPipeline(
    {
      ...{ profile: emptyProfile(), point: island, now, offsetSeconds: 0, filter: {}, rules: { limit: 6 } },
      ...{ historyRules: defaultHistoryRules, maxCandidates: 500, explain: false },
      ...{ budgetMs: Number.POSITIVE_INFINITY, hidesSmallCounts },
    },
    {
      candidateService: inProcessCandidates(pyramid, () => now, servingCounts.minUsersShown),
      ...{ rankers: [ranker], clock: () => 0 },
    },
  );
  return Object.fromEntries(list.map(({ productId, score }) => [productId, score]));
}

describe("the list of a new user after what one other user did", () => {
  const purchase = [event("u", "purchase", "a")];
  const purchases = ["u", "v", "w", "x", "y"].map((user) => event(user, "purchase", "a"));

  it("S5: is the same for a stranger, to the last digit of each score", async () => {
    const before = await scoresAfter([], true);
    expect(Object.keys(before)).toHaveLength(6);
    const traces = [
      purchase,
      [...purchase, event("u", "purchase", "b")],
      [event("u", "dismiss", "d")],
      purchases.slice(0, 4),
    ];
    for (const events of traces) expect(await scoresAfter(events, true)).toEqual(before);
    const after = await scoresAfter(purchases, true);
    expect(after.a / before.a).toBeGreaterThan(1.2);
  });

  it("changes the scores of a known user's list at most by half and double, and may change its order", async () => {
    const before = await scoresAfter([], false);
    const purchased = await scoresAfter(purchase, false);
    expect(purchased.a / before.a).toBeGreaterThan(1.5);
    expect(Object.keys(purchased)).not.toEqual(Object.keys(before));
    for (const after of [purchased, await scoresAfter([event("u", "dismiss", "d")], false)])
      for (const id of ids) {
        expect(after[id] / before[id]).toBeLessThan(2);
        expect(after[id] / before[id]).toBeGreaterThan(0.5);
      }
  });
});
