import { and, eq, inArray, lt, ne, or, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { fromInstant, toInstant } from "../../shared/contracts/primitives.ts";
import type { RecalibrationRecord } from "../../shared/contracts/recalibration.ts";
import { recalibrations } from "./schema.ts";

type RecalibrationRow = typeof recalibrations.$inferSelect;

/** Statuses of a recalibration that has not ended. */
const activeStatuses = ["queued", "running"] as const;

/** Returns whether a recalibration has not ended. */
export const isActive = ({ status }: Pick<RecalibrationRecord, "status">): boolean =>
  status === "queued" || status === "running";

/** A recalibration that is active, or whose artifacts are not removed. */
export interface UnfinishedRecalibration {
  application: string;
  record: RecalibrationRecord;
  /** Whether another process than that of the store wrote the record last. */
  isOfOtherProcess: boolean;
}

const recordOf = (row: RecalibrationRow): RecalibrationRecord => ({
  id: row.id,
  status: row.status,
  step: row.step,
  progress: row.progress,
  startedAt: toInstant(row.startedAt),
  updatedAt: toInstant(row.updatedAt),
  parent: row.parent,
  version: row.version,
  reasons: row.reasons,
  figures: row.figures,
});

/** The records of recalibrations in D1, where a step may write one as often as it likes. */
export class RecalibrationStore {
  readonly #d1: D1Database;
  readonly #db: ReturnType<typeof drizzle>;
  readonly #process: string;

  /** `process` is the id of the process that writes. */
  constructor(database: D1Database, process: string) {
    this.#d1 = database;
    this.#db = drizzle(database);
    this.#process = process;
  }

  #rowOf(application: string, record: RecalibrationRecord): RecalibrationRow {
    const updatedAt = fromInstant(record.updatedAt);
    return {
      ...record,
      application,
      startedAt: fromInstant(record.startedAt),
      updatedAt,
      process: this.#process,
      checkedAt: updatedAt,
      holdsArtifacts: true,
    };
  }

  /**
   * Adds the record of a new recalibration. Of several concurrent calls for an application, one succeeds. Returns false
   * if the id exists, or while another recalibration of the application is active.
   */
  async add(application: string, record: RecalibrationRecord): Promise<boolean> {
    const added = await this.#db
      .insert(recalibrations)
      .values(this.#rowOf(application, record))
      .onConflictDoNothing()
      .returning({ id: recalibrations.id });
    return added.length > 0;
  }

  /** Returns a record; null if there is none. */
  async find(application: string, id: string): Promise<RecalibrationRecord | null> {
    const [row] = await this.#db
      .select()
      .from(recalibrations)
      .where(and(eq(recalibrations.application, application), eq(recalibrations.id, id)));
    return row ? recordOf(row) : null;
  }

  /** Returns the id of an application's active recalibration; null if none is active. */
  async activeId(application: string): Promise<string | null> {
    const [row] = await this.#db
      .select({ id: recalibrations.id })
      .from(recalibrations)
      .where(
        and(eq(recalibrations.application, application), inArray(recalibrations.status, [...activeStatuses])),
      );
    return row?.id ?? null;
  }

  /** Stores a record. */
  async put(application: string, record: RecalibrationRecord): Promise<void> {
    const { application: _application, id: _id, ...columns } = this.#rowOf(application, record);
    await this.#db
      .insert(recalibrations)
      .values(this.#rowOf(application, record))
      .onConflictDoUpdate({ target: [recalibrations.application, recalibrations.id], set: columns });
  }

  /** Ends a recalibration as failed, unless it has ended. */
  async fail(application: string, id: string, reason: string, now: number): Promise<void> {
    await this.#db
      .update(recalibrations)
      .set({ status: "failed", reasons: [reason], updatedAt: now, checkedAt: now })
      .where(
        and(
          eq(recalibrations.application, application),
          eq(recalibrations.id, id),
          inArray(recalibrations.status, [...activeStatuses]),
        ),
      );
  }

  /** Notes that the artifacts of a recalibration are removed. */
  async noteCleared(application: string, id: string): Promise<void> {
    await this.#db
      .update(recalibrations)
      .set({ holdsArtifacts: false })
      .where(and(eq(recalibrations.application, application), eq(recalibrations.id, id)));
  }

  /** Notes that the instance of a recalibration was looked at, or woken by this process. */
  async noteChecked(application: string, id: string, now: number): Promise<void> {
    await this.#db
      .update(recalibrations)
      .set({ checkedAt: now, process: this.#process })
      .where(and(eq(recalibrations.application, application), eq(recalibrations.id, id)));
  }

  /**
   * Returns at most `limit` recalibrations that are active or hold artifacts, and that were not checked since `before`,
   * the longest unchecked first. With `otherProcesses`, those of other processes are returned at any age.
   */
  async unfinished(
    before: number,
    otherProcesses: boolean,
    limit: number,
  ): Promise<UnfinishedRecalibration[]> {
    const due = lt(recalibrations.checkedAt, before);
    const rows = await this.#db
      .select()
      .from(recalibrations)
      .where(
        and(
          sql`holds_artifacts = 1`,
          otherProcesses ? or(due, ne(recalibrations.process, this.#process)) : due,
        ),
      )
      .orderBy(recalibrations.checkedAt)
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
        `DELETE FROM recalibrations WHERE rowid IN
           (SELECT rowid FROM recalibrations WHERE updated_at < ?1 AND status NOT IN ('queued', 'running') LIMIT ?2)`,
      )
      .bind(before, limit)
      .run();
    return meta.changes;
  }

  /** Throws if the migrations have not been applied. */
  async probe(): Promise<void> {
    await this.#db.select({ id: recalibrations.id }).from(recalibrations).limit(1);
  }
}
