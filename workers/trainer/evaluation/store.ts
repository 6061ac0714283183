import { and, desc, eq, inArray, lt, ne, or, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { Evaluation } from "../../../shared/contracts/evaluation.ts";
import { fromInstant, toInstant } from "../../../shared/contracts/primitives.ts";
import { evaluations } from "../schema.ts";

type EvaluationRow = typeof evaluations.$inferSelect;

/** An evaluation that is active, or whose artifacts are not removed. */
export interface UnfinishedEvaluation {
  application: string;
  record: Evaluation;
  /** Whether another process than that of the store wrote the record last. */
  isOfOtherProcess: boolean;
}

const recordOf = (row: EvaluationRow): Evaluation => ({
  id: row.id,
  status: row.status,
  step: row.step,
  progress: row.progress,
  startedAt: toInstant(row.startedAt),
  updatedAt: toInstant(row.updatedAt),
  input: row.input,
  result: row.result,
  reasons: row.reasons,
});

const isOf = (application: string, id: string) =>
  and(eq(evaluations.application, application), eq(evaluations.id, id));
const isActiveRow = inArray(evaluations.status, ["queued", "running"]);

/** The records of evaluations in D1. */
export class EvaluationStore {
  readonly #d1: D1Database;
  readonly #db: ReturnType<typeof drizzle>;
  readonly #process: string;

  /** `process` is the id of the process that writes. */
  constructor(database: D1Database, process: string) {
    this.#d1 = database;
    this.#db = drizzle(database);
    this.#process = process;
  }

  /** Adds the record of a new evaluation. Returns false while another one of the application is active. */
  async add(application: string, record: Evaluation): Promise<boolean> {
    const updatedAt = fromInstant(record.updatedAt);
    const added = await this.#db
      .insert(evaluations)
      .values({
        ...record,
        application,
        startedAt: fromInstant(record.startedAt),
        updatedAt,
        process: this.#process,
        checkedAt: updatedAt,
        holdsArtifacts: true,
      })
      .onConflictDoNothing()
      .returning({ id: evaluations.id });
    return added.length > 0;
  }

  /** Returns a record; null if there is none. */
  async find(application: string, id: string): Promise<Evaluation | null> {
    const [row] = await this.#db.select().from(evaluations).where(isOf(application, id));
    return row ? recordOf(row) : null;
  }

  /** Returns the newest records of an application, at most `limit`. */
  async newest(application: string, limit: number): Promise<Evaluation[]> {
    const rows = await this.#db
      .select()
      .from(evaluations)
      .where(eq(evaluations.application, application))
      .orderBy(desc(evaluations.startedAt))
      .limit(limit);
    return rows.map(recordOf);
  }

  /** Changes the record of an evaluation that has not ended. `now` is in seconds since the Unix epoch. */
  async update(application: string, id: string, change: Partial<Evaluation>, now: number): Promise<void> {
    const { startedAt: _started, updatedAt: _updated, ...columns } = change;
    await this.#db
      .update(evaluations)
      .set({ ...columns, updatedAt: now, checkedAt: now, process: this.#process })
      .where(and(isOf(application, id), isActiveRow));
  }

  /** Notes that the artifacts of an evaluation are removed. */
  async noteCleared(application: string, id: string): Promise<void> {
    await this.#db.update(evaluations).set({ holdsArtifacts: false }).where(isOf(application, id));
  }

  /** Notes that the instance of an evaluation was looked at, or woken by this process. */
  async noteChecked(application: string, id: string, now: number): Promise<void> {
    await this.#db
      .update(evaluations)
      .set({ checkedAt: now, process: this.#process })
      .where(isOf(application, id));
  }

  /**
   * Returns at most `limit` evaluations that are active or hold artifacts, and that were not checked since `before`, the
   * longest unchecked first. With `otherProcesses`, those of other processes are returned at any age.
   */
  async unfinished(before: number, otherProcesses: boolean, limit: number): Promise<UnfinishedEvaluation[]> {
    const due = lt(evaluations.checkedAt, before);
    const rows = await this.#db
      .select()
      .from(evaluations)
      .where(
        and(sql`holds_artifacts = 1`, otherProcesses ? or(due, ne(evaluations.process, this.#process)) : due),
      )
      .orderBy(evaluations.checkedAt)
      .limit(limit);
    return rows.map((row) => ({
      application: row.application,
      record: recordOf(row),
      isOfOtherProcess: row.process !== this.#process,
    }));
  }

  /** Deletes at most `limit` records that were last written before `before`. Returns how many. */
  async removeBefore(before: number, limit: number): Promise<number> {
    const { meta } = await this.#d1
      .prepare(
        `DELETE FROM evaluations WHERE rowid IN
           (SELECT rowid FROM evaluations WHERE updated_at < ?1 AND status NOT IN ('queued', 'running') LIMIT ?2)`,
      )
      .bind(before, limit)
      .run();
    return meta.changes;
  }
}
