import type { Ranker } from "../../../model/pipeline/ports.ts";
import type { PipelineAnswer } from "../../../model/pipeline/recommend.ts";
import { finalScores } from "../../../model/pipeline/recommend.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { RegistryStore, type ShadowSums } from "../store.ts";

/** Sums are brought to the registry at most so often, in milliseconds, and no later than after so many requests. */
const gatherMs = 2000;
const maxGathered = 50;

const nothing = (): ShadowSums => ({ requests: 0, failures: 0, overlap: 0, distance: 0 });

interface Gathered {
  sums: ShadowSums;
  broughtAt: number;
}

/** What this isolate has seen and not yet brought to the registry, by application and version. */
const gathered = new Map<string, Gathered>();

/** Indices of the `count` highest scores. */
function topOf(scores: Float32Array, count: number): number[] {
  return [...scores.keys()].sort((a, b) => scores[b] - scores[a] || a - b).slice(0, count);
}

/** How another model's scores of the same candidates differ from those that were served by. */
export function differenceOf(
  served: Float32Array,
  other: Float32Array,
  shown: number,
): Pick<ShadowSums, "overlap" | "distance"> {
  const top = new Set(topOf(served, shown));
  const both = topOf(other, shown).filter((index) => top.has(index)).length;
  let distance = 0;
  for (let i = 0; i < served.length; i++) distance += Math.abs(served[i] - other[i]);
  return {
    overlap: top.size === 0 ? 1 : both / top.size,
    distance: served.length === 0 ? 0 : distance / served.length,
  };
}

/**
 * Scores what was answered by the newcomer too, after the answer, and notes how they differ. `ranker` is null where it could
 * not be loaded, which is a failure like any other. Answers whether the registry knows more than before.
 */
export async function scoreShadow(
  database: D1Database,
  application: string,
  version: string,
  ranker: Ranker | null,
  answer: Pick<PipelineAnswer, "features" | "scores" | "items">,
): Promise<boolean> {
  const key = `${application}/${version}`;
  const mine = gathered.get(key) ?? { sums: nothing(), broughtAt: 0 };
  gathered.set(key, mine);
  mine.sums.requests++;
  try {
    if (!ranker) throw new Error("it is not loaded");
    const scores = finalScores(await ranker.score(answer.features));
    if (!scores.every(Number.isFinite)) throw new Error("a score is not finite");
    const { overlap, distance } = differenceOf(answer.scores, scores, answer.items.length);
    mine.sums.overlap += overlap;
    mine.sums.distance += distance;
  } catch (error) {
    mine.sums.failures++;
    console.error({ event: "shadow failed", version, error: errorText(error) });
  }
  if (Date.now() - mine.broughtAt < gatherMs && mine.sums.requests < maxGathered) return false;
  const { sums } = mine;
  gathered.set(key, { sums: nothing(), broughtAt: Date.now() });
  await new RegistryStore(database).addShadow(application, version, sums);
  return true;
}
