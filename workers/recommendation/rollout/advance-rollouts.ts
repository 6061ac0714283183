import { applicationsInShare } from "../../../shared/async/applications-share.ts";
import { eachApplication } from "../../../shared/async/each-application.ts";
import { allApplications } from "../../../shared/contracts/applications-share.ts";
import { ok, type Result } from "../../../shared/contracts/result.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { recordDueDrift } from "../models/drift.ts";
import { refreshSnapshot } from "../models/serving-rankers.ts";
import { rolloutSettingsOf } from "../settings.ts";
import { RegistryStore } from "../store.ts";
import { advanceRollout } from "./advance-rollout.ts";

/** Applications whose rollouts one call advances: up to eight calls each, and a request may make 1,000. */
const maxApplicationsPerCall = 100;

/**
 * Advances the rollouts of all applications, a hundred each minute, and computes one due day of drift; the cron calls this each minute. Returns
 * the number of applications with a rollout. `now` is in seconds since the Unix epoch.
 */
export async function advanceRollouts(
  env: RecommendationEnv,
  now: number,
): Promise<Result<{ applications: number }>> {
  const minute = Math.floor(now / 60);
  const all = await new RegistryStore(env.DB).applicationsWithRollouts();
  const applications = applicationsInShare(all, allApplications, maxApplicationsPerCall, minute);
  await eachApplication(applications, "rollout not advanced", async (application) => {
    if (await advanceRollout(env.DB, rolloutSettingsOf(env), application, now))
      await refreshSnapshot(env, application);
  });
  try {
    await recordDueDrift(env, now);
  } catch (error) {
    console.error({ event: "drift not computed", error: errorText(error) });
  }
  return ok({ applications: applications.length });
}
