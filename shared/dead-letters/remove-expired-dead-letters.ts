import { applicationsInShare } from "../async/applications-share.ts";
import { eachApplication } from "../async/each-application.ts";
import { type ApplicationsShare, allApplications } from "../contracts/applications-share.ts";
import { expiryTime, type RemovedCounts, type Retention } from "../contracts/retention.ts";
import { applicationsIn, type ExpiringBucket, removeExpired } from "../retention/remove-expired.ts";
import { daySeconds } from "../time/seconds.ts";
import { deadLetterPrefix } from "./dead-letter-store.ts";

/** Applications whose messages one step looks at: two calls each, and a request may make 1,000. */
const maxApplicationsPerStep = 400;

/**
 * Removes dead-letter messages of the applications of a share that are older than the retention. `now` is in seconds
 * since the epoch. Returns how many.
 */
export async function removeExpiredDeadLetters(
  bucket: ExpiringBucket,
  retention: Retention,
  now: number,
  share: ApplicationsShare = allApplications,
): Promise<RemovedCounts> {
  const oldest = expiryTime(now, retention.deadLetters) * 1000;
  let deadLetters = 0;
  const day = Math.floor(now / daySeconds);
  const applications = applicationsInShare(await applicationsIn(bucket), share, maxApplicationsPerStep, day);
  await eachApplication(applications, "retention failed", async (application) => {
    deadLetters += await removeExpired(
      bucket,
      deadLetterPrefix(application),
      ({ uploaded }) => uploaded.getTime() < oldest,
      false,
    );
  });
  return { deadLetters };
}
