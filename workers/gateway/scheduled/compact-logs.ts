import type { Result } from "../../../shared/contracts/result.ts";
import type { LogsCompaction, TrainerApi } from "../../../shared/services/trainer-api.ts";

/**
 * Calls of the trainer by one run of the cron. Each has the subrequests of a request of its own. A request may call other
 * workers 32 times, and the other work of a minute takes few calls.
 */
const maxCalls = 8;

/** Compacts the training logs until nothing is due, by a bounded number of calls. Returns the last answer. */
export async function compactLogs(trainer: Pick<TrainerApi, "compactLogs">): Promise<Result<LogsCompaction>> {
  for (let call = 1; ; call++) {
    const result = await trainer.compactLogs();
    if (!result.ok || !result.value.hasMore || call === maxCalls) return result;
  }
}
