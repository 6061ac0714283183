import { type RebuildPart, rebuildStep } from "../../shared/contracts/rebuild.ts";
import { request, type Target } from "./send-with-retries.ts";

/** What was made anew, by part. */
export type Rebuilt = Partial<Record<RebuildPart, number>>;

/** Makes all derived state of the key's application anew; `report` hears after each step how far it is. */
export async function rebuildAll(target: Target, report: (done: Rebuilt) => void): Promise<Rebuilt> {
  const done: Rebuilt = {};
  for (let cursor: string | undefined; ; ) {
    const body = JSON.stringify(cursor === undefined ? {} : { cursor });
    const step = rebuildStep.parse(await request(target, "POST", "/v1/rebuild", body, "application/json"));
    done[step.part] = (done[step.part] ?? 0) + step.done;
    report(done);
    if (step.nextCursor === undefined) return done;
    cursor = step.nextCursor;
  }
}
