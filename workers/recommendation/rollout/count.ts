import type { UserRows } from "../../../shared/contracts/queues.ts";
import { type UserCounts, UserCountsTable } from "../../../shared/experiments/user-counts.ts";
import { settingsOf } from "../settings.ts";
import { advance } from "./advance.ts";

/** An isolate looks at an application's counts at most so often, in milliseconds: the cron looks at all each minute. */
const lookMs = 2000;
const lookedAt = new Map<string, number>();

/**
 * Takes what people did in experiments into account, and looks at once whether that decides anything; isolates that serve
 * learn it from the registry.
 */
export async function countOutcomes(
  env: Pick<RecommendationEnv, "DB">,
  application: string,
  users: readonly UserRows[],
): Promise<void> {
  const counts = users.flatMap(({ object, rows }): UserCounts[] =>
    rows.flatMap((row) => (row.kind === "counts" ? [{ pseudonym: object, ...row.counts }] : [])),
  );
  if (counts.length === 0) return;
  await new UserCountsTable(env.DB).put(application, counts);
  if (Date.now() - (lookedAt.get(application) ?? 0) < lookMs) return;
  lookedAt.set(application, Date.now());
  await advance(env.DB, settingsOf(env), application, Date.now() / 1000);
}
