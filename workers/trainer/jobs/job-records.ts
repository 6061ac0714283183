/** Tables of jobs, which have the columns that this file names. */
export type JobTable = "recalibrations" | "evaluations";

/** Statuses of a job that has not ended. */
export const activeStatuses = ["queued", "running"] as const;

/** Returns whether a job has not ended. */
export const isActive = ({ status }: { status: string }): boolean =>
  status === "queued" || status === "running";

/** A job that is active, or whose artifacts are not removed. */
export interface UnfinishedJob {
  application: string;
  id: string;
  isActive: boolean;
  /** Whether another process than that of the records wrote or looked at the job last. */
  isOfOtherProcess: boolean;
}

/** What the records of recalibrations and evaluations in D1 have in common: which jobs a process has to look at. */
export class JobRecords {
  readonly #database: D1Database;
  readonly #table: JobTable;
  protected readonly process: string;

  /** `process` is the id of the process that writes. */
  constructor(database: D1Database, table: JobTable, process: string) {
    this.#database = database;
    this.#table = table;
    this.process = process;
  }

  /** Ends a job as failed, unless it has ended. `now` is in seconds since the Unix epoch. */
  async fail(application: string, id: string, reason: string, now: number): Promise<void> {
    await this.#database
      .prepare(
        `UPDATE ${this.#table} SET status = 'failed', reasons = ?1, updated_at = ?2, checked_at = ?2
         WHERE application = ?3 AND id = ?4 AND status IN ('queued', 'running')`,
      )
      .bind(JSON.stringify([reason]), now, application, id)
      .run();
  }

  /** Notes that the artifacts of a job are removed. */
  async noteCleared(application: string, id: string): Promise<void> {
    await this.#database
      .prepare(`UPDATE ${this.#table} SET holds_artifacts = 0 WHERE application = ?1 AND id = ?2`)
      .bind(application, id)
      .run();
  }

  /** Notes that the instance of a job was looked at, or woken by this process. */
  async noteChecked(application: string, id: string, now: number): Promise<void> {
    await this.#database
      .prepare(`UPDATE ${this.#table} SET checked_at = ?1, process = ?2 WHERE application = ?3 AND id = ?4`)
      .bind(now, this.process, application, id)
      .run();
  }

  /**
   * Returns at most `limit` jobs that are active or hold artifacts, and that were not checked since `before`, the longest
   * unchecked first. With `otherProcesses`, those of other processes are returned at any age.
   */
  async unfinished(before: number, otherProcesses: boolean, limit: number): Promise<UnfinishedJob[]> {
    const { results } = await this.#database
      .prepare(
        `SELECT application, id, status, process FROM ${this.#table}
         WHERE holds_artifacts = 1 AND (checked_at < ?1 OR (?2 AND process <> ?3))
         ORDER BY checked_at LIMIT ?4`,
      )
      .bind(before, otherProcesses ? 1 : 0, this.process, limit)
      .all<{ application: string; id: string; status: string; process: string }>();
    return results.map(({ application, id, status, process }) => ({
      ...{ application, id },
      isActive: isActive({ status }),
      isOfOtherProcess: process !== this.process,
    }));
  }

  /** Deletes at most `limit` records of ended jobs that were last written before `before`. Returns how many. */
  async removeBefore(before: number, limit: number): Promise<number> {
    const { meta } = await this.#database
      .prepare(
        `DELETE FROM ${this.#table} WHERE rowid IN
           (SELECT rowid FROM ${this.#table} WHERE updated_at < ?1 AND status NOT IN ('queued', 'running') LIMIT ?2)`,
      )
      .bind(before, limit)
      .run();
    return meta.changes;
  }
}
