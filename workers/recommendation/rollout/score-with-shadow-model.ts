import type { PipelineAnswer } from "../../../model/pipeline/run-pipeline.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { refreshSnapshot, type ServingRankers } from "../models/serving-rankers.ts";
import { rolloutSettingsOf } from "../settings.ts";
import { advanceRollout } from "./advance-rollout.ts";
import { scoreShadow } from "./score-shadow.ts";

/** Scores an answer with the shadow model too. A flush of the shadow statistics may advance the rollout. */
export async function scoreWithShadowModel(
  env: RecommendationEnv,
  application: string,
  { version, ranker }: NonNullable<ServingRankers["shadow"]>,
  answer: PipelineAnswer,
): Promise<void> {
  try {
    if (!(await scoreShadow(env.DB, application, version, ranker, answer))) return;
    if (await advanceRollout(env.DB, rolloutSettingsOf(env), application, Date.now() / 1000))
      await refreshSnapshot(env, application);
  } catch (error) {
    console.error({ event: "shadow statistics not stored", error: errorText(error) });
  }
}
