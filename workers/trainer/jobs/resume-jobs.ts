import { eachApplication } from "../../../shared/async/each-application.ts";
import { checkInstance } from "./check-instance.ts";
import type { JobRecords, UnfinishedJob } from "./job-records.ts";

/**
 * Seconds without a new record after which an instance is looked at: longer than a step may take. Whether it goes on is
 * the platform's business; only an instance that has ended is acted upon.
 */
const checkAfterSeconds = 900;
/** Instances that one call looks at, each by one request. */
const maxChecked = 20;

/** Jobs of one kind, each with an instance of a Workflow. */
export interface Jobs {
  /** Name of a job in the log. */
  name: string;
  records: JobRecords;
  workflow: Pick<Workflow<never>, "get">;
  /** Creates the instance of a job, which is missing. */
  create(application: string, id: string): Promise<void>;
  /** Removes the artifacts of an ended job, which hold examples of users. */
  clearArtifacts(application: string, id: string): Promise<void>;
}

/** Id of the Workflow instance of a job. */
export const instanceIdOf = (application: string, id: string): string => `${application}-${id}`;

/**
 * Ends the records of jobs whose instance has ended without saying so, and creates an instance that is missing. Removes
 * the artifacts of ended jobs. The platform continues an interrupted instance by itself, and one that sleeps or works for
 * long is not touched.
 *
 * With `onlyProcess`, all workers run in this one process, and an instance of another process was killed with it. The
 * local runtime leaves it `running` without progress, so it is paused and resumed, and continues after its last finished
 * step. Returns the number of active jobs that were looked at, and of those that were woken. `now` is in seconds since the
 * Unix epoch.
 */
export async function resumeJobs(
  jobs: Jobs,
  now: number,
  onlyProcess: boolean,
): Promise<{ running: number; resumed: number }> {
  const { records } = jobs;
  let running = 0;
  let resumed = 0;
  for (const job of await records.unfinished(now - checkAfterSeconds, onlyProcess, maxChecked))
    await eachApplication([job.application], `${jobs.name} not resumed`, async (application) => {
      if (job.isActive) {
        running++;
        const state = await checkJob(jobs, job, now, onlyProcess);
        if (state === "resumed") resumed++;
        if (state !== "ended") return records.noteChecked(application, job.id, now);
      }
      await jobs.clearArtifacts(application, job.id);
      return records.noteCleared(application, job.id);
    });
  return { running, resumed };
}

/** Acts on an instance that has ended, is missing, or was killed, and says what it does then. */
async function checkJob(
  { records, workflow, create }: Jobs,
  { application, id, isOfOtherProcess }: UnfinishedJob,
  now: number,
  onlyProcess: boolean,
): Promise<"resumed" | "ended" | "runs"> {
  const state = await checkInstance(workflow, instanceIdOf(application, id), {
    // `start` failed between the record and the instance. An instance that exists refuses a second one of its id.
    create: () => create(application, id),
    mayBeDead: onlyProcess && isOfOtherProcess,
  });
  if (state === "resumed" || state === "runs") return state;
  await records.fail(application, id, state.reason, now);
  return "ended";
}
