import { type RebuildPart, rebuildStep } from "../../shared/contracts/rebuild.ts";
import { type ApiTarget, sendWithRetries } from "./send-with-retries.ts";

/** What was made anew, by part. */
export type RebuiltCounts = Partial<Record<RebuildPart, number>>;

/** Makes all derived state of the key's application anew; `report` hears after each step how far it is. */
export async function rebuildAll(
  target: ApiTarget,
  report: (done: RebuiltCounts) => void,
): Promise<RebuiltCounts> {
  const done: RebuiltCounts = {};
  for (let cursor: string | undefined; ; ) {
    const body = JSON.stringify(cursor === undefined ? {} : { cursor });
    const step = rebuildStep.parse(
      await sendWithRetries(target, "POST", "/v1/rebuild", body, "application/json"),
    );
    done[step.part] = (done[step.part] ?? 0) + step.done;
    report(done);
    if (step.nextCursor === undefined) return done;
    cursor = step.nextCursor;
  }
}
