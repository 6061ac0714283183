import { finalScores } from "../../../model/pipeline/final-scores.ts";
import type { Ranker } from "../../../model/pipeline/ports.ts";
import type { PipelineAnswer } from "../../../model/pipeline/run-pipeline.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { RegistryStore, type ShadowSums } from "../store.ts";

/** Minimum time between two flushes to the registry, in milliseconds. */
const flushIntervalMs = 2000;
/** Pending requests after which the sums are flushed at once. */
const maxPendingRequests = 50;

const zeroSums = (): ShadowSums => ({ requests: 0, failures: 0, overlap: 0, distance: 0 });

interface PendingSums {
  sums: ShadowSums;
  /** Milliseconds since the Unix epoch. */
  flushedAt: number;
}

/** Sums that this isolate has not yet flushed, by application and version. */
const pendingSums = new Map<string, PendingSums>();

/** Returns the indices of the `count` highest scores. */
function topIndices(scores: Float32Array, count: number): number[] {
  return [...scores.keys()].sort((a, b) => scores[b] - scores[a] || a - b).slice(0, count);
}

/**
 * Compares another model's scores of the same candidates with the served scores. Returns the share of the `shown` top
 * candidates that both models show, and the mean absolute difference of the scores.
 */
export function scoreDifferenceOf(
  served: Float32Array,
  other: Float32Array,
  shown: number,
): Pick<ShadowSums, "overlap" | "distance"> {
  const top = new Set(topIndices(served, shown));
  const both = topIndices(other, shown).filter((index) => top.has(index)).length;
  let distance = 0;
  for (let i = 0; i < served.length; i++) distance += Math.abs(served[i] - other[i]);
  return {
    overlap: top.size === 0 ? 1 : both / top.size,
    distance: served.length === 0 ? 0 : distance / served.length,
  };
}

/**
 * Scores the candidates of an answer with the shadow model and adds the differences to the pending sums. A null
 * `ranker` means that the model is not loaded and counts as a failure. Returns whether the sums were flushed to the
 * registry.
 */
export async function scoreShadow(
  database: D1Database,
  application: string,
  version: string,
  ranker: Ranker | null,
  answer: Pick<PipelineAnswer, "features" | "scores" | "items">,
): Promise<boolean> {
  const key = `${application}/${version}`;
  const pending = pendingSums.get(key) ?? { sums: zeroSums(), flushedAt: 0 };
  pendingSums.set(key, pending);
  pending.sums.requests++;
  try {
    if (!ranker) throw new Error("the shadow model is not loaded");
    const scores = finalScores(await ranker.score(answer.features));
    if (!scores.every(Number.isFinite))
      throw new Error("the shadow model returned a score that is not finite");
    const { overlap, distance } = scoreDifferenceOf(answer.scores, scores, answer.items.length);
    pending.sums.overlap += overlap;
    pending.sums.distance += distance;
  } catch (error) {
    pending.sums.failures++;
    console.error({ event: "shadow model failed", version, error: errorText(error) });
  }
  if (Date.now() - pending.flushedAt < flushIntervalMs && pending.sums.requests < maxPendingRequests)
    return false;
  const { sums } = pending;
  pendingSums.set(key, { sums: zeroSums(), flushedAt: Date.now() });
  await new RegistryStore(database).addShadowSums(application, version, sums);
  return true;
}
