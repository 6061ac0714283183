import { readFileSync } from "node:fs";
import { join } from "node:path";
import { modelManifest } from "../../../shared/contracts/model.ts";
import { utcOffsetAt } from "../../../shared/geo/local-time.ts";
import { inProcessCandidates } from "../../candidate-sources/in-process-candidates.ts";
import { allEvents } from "../../data/dataset.ts";
import { featureShape } from "../../features/compute-features.ts";
import { loadModelInNode } from "../../onnx/load-model.node.ts";
import { Replay } from "../../replay/replay.ts";
import { servingCounts, tilePyramidAfter } from "../../replay/tile-pyramid.ts";
import { defaultHistoryRules } from "../../rules/hidden-products.ts";
import { simulate } from "../../simulate/simulate.ts";
import type { Ranker } from "../ports.ts";
import type { PipelineQuery } from "../run-pipeline.ts";

/** When the simulated world is as it is, in seconds since the epoch. */
export const simulatedNow = Date.UTC(2026, 0, 5) / 1000;

const artifact = (name: string): Buffer => readFileSync(join(import.meta.dirname, "../../artifacts", name));

/** Returns the ranker of the bundled model, in Node. */
export async function bundledRankerInNode(): Promise<Ranker> {
  const { version, sha256, firstStage, calibration } = modelManifest.parse(
    JSON.parse(artifact("bundled.json").toString()),
  );
  const session = await loadModelInNode(artifact("bundled.onnx"), featureShape);
  return { version, sha256, firstStage, calibration, score: (batch) => session.run(batch) };
}

/** Three cities of which every product near a user is a candidate. */
const smallWorld = { products: 1500, users: 60, events: 6000, days: 30, cities: 3 };

/** Returns a small simulated marketplace: its candidates, its users, and queries for them. */
export function simulatedWorld(more: Partial<typeof smallWorld> = {}) {
  const size = { ...smallWorld, ...more };
  const { dataset, users } = simulate(size, 3, simulatedNow);
  const events = allEvents(dataset);
  const pyramid = tilePyramidAfter(dataset, events, simulatedNow);
  const candidateService = inProcessCandidates(pyramid, () => simulatedNow, servingCounts.minUsersShown);
  const replay = new Replay(dataset.items, candidateService);
  for (const event of events) replay.applyEvent(event);
  const queryFor = (user: number, more: Partial<PipelineQuery> = {}): PipelineQuery => {
    const { id, lat, lon } = users[user % users.length];
    return {
      ...{ profile: replay.profile(id), point: { lat, lon }, now: simulatedNow, filter: {} },
      offsetSeconds: utcOffsetAt(lat, lon, simulatedNow),
      ...{ rules: { limit: 10 }, historyRules: defaultHistoryRules, maxCandidates: 500, explain: true },
      budgetMs: Number.POSITIVE_INFINITY,
      ...more,
    };
  };
  const categories = [...new Set([...dataset.items.values()].map(({ category }) => category ?? ""))];
  return { candidateService, queryFor, categories };
}
