import { eachApplication } from "../async/each-application.ts";
import { expiryTime, type RemovedCounts, type Retention } from "../contracts/retention.ts";
import { applicationsIn, type ExpiringBucket, removeExpired } from "../retention/remove-expired.ts";
import { deadLetterPrefix } from "./dead-letter-store.ts";

/**
 * Removes dead-letter messages that are older than the retention. `now` is in seconds since the epoch. Returns how
 * many.
 */
export async function removeExpiredDeadLetters(
  bucket: ExpiringBucket,
  retention: Retention,
  now: number,
): Promise<RemovedCounts> {
  const oldest = expiryTime(now, retention.deadLetters) * 1000;
  let deadLetters = 0;
  await eachApplication(await applicationsIn(bucket), "retention failed", async (application) => {
    deadLetters += await removeExpired(
      bucket,
      deadLetterPrefix(application),
      ({ uploaded }) => uploaded.getTime() < oldest,
      false,
    );
  });
  return { deadLetters };
}
