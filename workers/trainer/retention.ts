import { eachApplication } from "../../shared/async/each-application.ts";
import { expiryTime, type RemovedCounts, type Retention } from "../../shared/contracts/retention.ts";
import { applicationsIn, type ExpiringBucket, removeExpired } from "../../shared/retention/remove-expired.ts";
import { logRoot } from "../../shared/training-log/keys.ts";
import { artifactRoot } from "./artifacts.ts";

/**
 * Removes days of the training log and records of recalibrations past their retention. Returns the number of objects
 * removed. `now` is in seconds since the Unix epoch.
 */
export async function removeExpiredLogs(
  bucket: ExpiringBucket,
  retention: Retention,
  now: number,
): Promise<RemovedCounts> {
  const firstDay = new Date(expiryTime(now, retention.trainingLog) * 1000).toISOString().slice(0, 10);
  const oldest = expiryTime(now, retention.recalibrations) * 1000;
  const removed = { trainingLog: 0, recalibrations: 0 };
  await eachApplication(await applicationsIn(bucket), "retention failed", async (application) => {
    const root = logRoot(application);
    removed.trainingLog += await removeExpired(
      bucket,
      root,
      ({ key }) => key.slice(root.length, root.length + firstDay.length) < firstDay,
      true,
    );
    removed.recalibrations += await removeExpired(
      bucket,
      artifactRoot(application),
      ({ uploaded }) => uploaded.getTime() < oldest,
      false,
    );
  });
  return removed;
}
