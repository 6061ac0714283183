import { ok, type Result } from "../../../shared/contracts/result.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { lookAtDue } from "../models/drift.ts";
import { followPointer } from "../models/serving-model.ts";
import { settingsOf } from "../settings.ts";
import { RegistryStore } from "../store.ts";
import { advance } from "./advance.ts";

/** Brings versions of all applications further that are on their way, and looks at a day of drift that is due; `now` in seconds since the epoch. */
export async function advanceRollouts(
  env: RecommendationEnv,
  now: number,
): Promise<Result<{ underWay: number }>> {
  const applications = await new RegistryStore(env.DB).underWay();
  for (const application of applications)
    try {
      if (await advance(env.DB, settingsOf(env), application, now)) await followPointer(env, application);
    } catch (error) {
      // One application's trouble does not hold up the others.
      console.error({ event: "roll-out not advanced", application, error: errorText(error) });
    }
  try {
    await lookAtDue(env, now);
  } catch (error) {
    console.error({ event: "drift not looked at", error: errorText(error) });
  }
  return ok({ underWay: applications.length });
}
