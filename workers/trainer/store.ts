import { and, eq, inArray } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { fromInstant, toInstant } from "../../shared/contracts/primitives.ts";
import type { RecalibrationRecord } from "../../shared/contracts/recalibration.ts";
import { activeStatuses, JobRecords } from "./jobs/job-records.ts";
import { recalibrations } from "./schema.ts";

type RecalibrationRow = typeof recalibrations.$inferSelect;

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
export class RecalibrationStore extends JobRecords {
  readonly #db: ReturnType<typeof drizzle>;

  /** `process` is the id of the process that writes. */
  constructor(database: D1Database, process: string) {
    super(database, "recalibrations", process);
    this.#db = drizzle(database);
  }

  #rowOf(application: string, record: RecalibrationRecord): RecalibrationRow {
    const updatedAt = fromInstant(record.updatedAt);
    return {
      ...record,
      application,
      startedAt: fromInstant(record.startedAt),
      updatedAt,
      process: this.process,
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

  /** Throws if the migrations have not been applied. */
  async probe(): Promise<void> {
    await this.#db.select({ id: recalibrations.id }).from(recalibrations).limit(1);
  }
}
