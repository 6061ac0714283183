import { and, desc, eq, inArray } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { Evaluation } from "../../../shared/contracts/evaluation.ts";
import { fromInstant, toInstant } from "../../../shared/contracts/primitives.ts";
import { activeStatuses, JobRecords } from "../jobs/job-records.ts";
import { evaluations } from "../schema.ts";

type EvaluationRow = typeof evaluations.$inferSelect;

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
const isActiveRow = inArray(evaluations.status, [...activeStatuses]);

/** The records of evaluations in D1. */
export class EvaluationStore extends JobRecords {
  readonly #db: ReturnType<typeof drizzle>;

  /** `process` is the id of the process that writes. */
  constructor(database: D1Database, process: string) {
    super(database, "evaluations", process);
    this.#db = drizzle(database);
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
        process: this.process,
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
      .set({ ...columns, updatedAt: now, checkedAt: now, process: this.process })
      .where(and(isOf(application, id), isActiveRow));
  }
}
