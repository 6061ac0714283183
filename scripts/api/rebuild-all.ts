import { type RebuildPart, rebuildStep } from "../../shared/contracts/rebuild.ts";
import { type ApiTarget, sendWithRetries } from "./send-with-retries.ts";

/** Counts of a rebuild by part: products whose totals, cells, and users whose item-to-item transitions were rebuilt. */
export type RebuiltCounts = Partial<Record<RebuildPart, number>>;

/**
 * Rebuilds all derived state of the key's application, step by step. Calls `onStep` with the counts so far after each
 * step, and returns the final counts.
 */
export async function rebuildAll(
  target: ApiTarget,
  onStep: (done: RebuiltCounts) => void,
): Promise<RebuiltCounts> {
  const done: RebuiltCounts = {};
  for (let cursor: string | undefined; ; ) {
    const body = JSON.stringify(cursor === undefined ? {} : { cursor });
    const step = rebuildStep.parse(
      await sendWithRetries(target, "POST", "/v1/rebuild", body, "application/json"),
    );
    done[step.part] = (done[step.part] ?? 0) + step.done;
    onStep(done);
    if (step.nextCursor === undefined) return done;
    cursor = step.nextCursor;
  }
}
