import type { UserRows } from "../../../shared/contracts/queues.ts";
import {
  ExperimentCountsTable,
  type UserExperimentCounts,
} from "../../../shared/experiments/experiment-counts.ts";
import { ExperimentUsersTable } from "../../../shared/experiments/experiment-users.ts";
import { isRollout } from "../../../shared/experiments/variant.ts";
import { rolloutSettingsOf } from "../settings.ts";
import { advanceRollout } from "./advance-rollout.ts";

/**
 * Minimum time between two checks of an application's rollout by an isolate, in ms. The cron also checks each minute.
 */
const minCheckIntervalMs = 2000;
const checkedAt = new Map<string, number>();

/**
 * Stores the experiment counts among outbox rows, then checks whether they decide the application's rollout. Serving
 * isolates read the decision from the registry.
 */
export async function countOutcomes(
  env: Pick<RecommendationEnv, "DB">,
  application: string,
  users: readonly UserRows[],
): Promise<void> {
  const counts = users.flatMap(({ pseudonym, rows }): UserExperimentCounts[] =>
    rows.flatMap((row) => (row.kind === "counts" ? [{ pseudonym, ...row.counts }] : [])),
  );
  if (counts.length === 0) return;
  const isOfRollout = ({ experiment }: UserExperimentCounts): boolean => isRollout(experiment);
  await new ExperimentUsersTable(env.DB).put(
    application,
    counts.filter((each) => !isOfRollout(each)),
    Date.now() / 1000,
  );
  const ofRollouts = counts.filter(isOfRollout);
  if (ofRollouts.length === 0) return;
  await new ExperimentCountsTable(env.DB).put(application, ofRollouts);
  if (Date.now() - (checkedAt.get(application) ?? 0) < minCheckIntervalMs) return;
  checkedAt.set(application, Date.now());
  await advanceRollout(env.DB, rolloutSettingsOf(env), application, Date.now() / 1000);
}
