import { logDays } from "../../shared/training-log/keys.ts";
import { firstPosition, isTrainingLine, readLogPage } from "../../shared/training-log/read-log.ts";

/** The part of an R2 bucket that {@link trainingLines} uses. */
type ReadableBucket = Parameters<typeof readLogPage>[0];

/** Yields the examples and corrections of an application's training log, page by page. */
export async function* trainingLines(bucket: ReadableBucket, application: string): AsyncGenerator<unknown[]> {
  const query = { application, days: await logDays(bucket, application), isNeeded: isTrainingLine };
  for (let position = firstPosition(query); position !== null; ) {
    const page = await readLogPage(bucket, query, position, { objects: 500, bytes: 3_000_000 });
    yield page.lines;
    position = page.next;
  }
}
