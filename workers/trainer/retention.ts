import { applicationsInShare } from "../../shared/async/applications-share.ts";
import { eachApplication } from "../../shared/async/each-application.ts";
import { type ApplicationsShare, allApplications } from "../../shared/contracts/applications-share.ts";
import { expiryTime, type RemovedCounts, type Retention } from "../../shared/contracts/retention.ts";
import { applicationsIn, type ExpiringBucket, removeExpired } from "../../shared/retention/remove-expired.ts";
import { daySeconds } from "../../shared/time/seconds.ts";
import { batchRoot, compactedRoot, logDayOf } from "../../shared/training-log/keys.ts";
import { artifactRoot } from "./artifacts.ts";
import { currentProcess } from "./current-process.ts";
import { EvaluationStore } from "./evaluation/store.ts";
import { RecalibrationStore } from "./store.ts";

/** Key prefix of the leases that version 0.2 stored; their application's records now say which recalibration is active. */
const leasesOfVersion02 = "~active/";
/** Applications whose objects one step looks at: six calls each, and a request may make 1,000. */
const maxApplicationsPerStep = 150;
/** Records that one step removes. */
const maxRemovedRecords = 1000;

/**
 * Removes days of the training log, and records of recalibrations and evaluations past their retention, of the
 * applications of a share.
 * Returns the number of objects and rows removed. `now` is in seconds since the Unix epoch.
 */
export async function removeExpiredLogs(
  { TRAINING_LOG: bucket, DB }: { TRAINING_LOG: ExpiringBucket; DB: D1Database },
  retention: Retention,
  now: number,
  share: ApplicationsShare = allApplications,
): Promise<RemovedCounts> {
  const firstDay = logDayOf(expiryTime(now, retention.trainingLog));
  const expiry = expiryTime(now, retention.recalibrations);
  const oldest = expiry * 1000;
  const records = new RecalibrationStore(DB, currentProcess());
  const evaluations = new EvaluationStore(DB, currentProcess());
  const removed = {
    trainingLog: 0,
    recalibrations:
      (await records.removeBefore(expiry, maxRemovedRecords)) +
      (await evaluations.removeBefore(expiry, maxRemovedRecords)),
  };
  await removeExpired(bucket, leasesOfVersion02, () => true, false);
  const day = Math.floor(now / daySeconds);
  const applications = applicationsInShare(await applicationsIn(bucket), share, maxApplicationsPerStep, day);
  await eachApplication(applications, "retention failed", async (application) => {
    // The manifest of a day is its last key, so it is removed last.
    for (const root of [batchRoot(application), compactedRoot(application)])
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
