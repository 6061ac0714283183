import { and, asc, eq, gt, isNull, or } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { experiments } from "../schema.ts";

export type ExperimentRow = typeof experiments.$inferSelect;

/** The table of experiments. Every query filters by application first. Times are in seconds since the epoch. */
export class ExperimentStore {
  readonly #db: ReturnType<typeof drizzle>;
  readonly #d1: D1Database;

  constructor(database: D1Database) {
    this.#d1 = database;
    this.#db = drizzle(database);
  }

  /** Returns all experiments of an application, by name. */
  async list(application: string): Promise<ExperimentRow[]> {
    return this.#db
      .select()
      .from(experiments)
      .where(eq(experiments.application, application))
      .orderBy(asc(experiments.name));
  }

  /** Returns the experiments that have not ended at `now`, by name. */
  async notEnded(application: string, now: number): Promise<ExperimentRow[]> {
    return this.#db
      .select()
      .from(experiments)
      .where(
        and(
          eq(experiments.application, application),
          or(isNull(experiments.endsAt), gt(experiments.endsAt, now)),
        ),
      )
      .orderBy(asc(experiments.name));
  }

  /** Returns the name of an experiment that has not ended at `now` and in which requests for a scenario take part; null if there is none. */
  async ofScenario(application: string, scenario: string, now: number): Promise<string | null> {
    const rows = await this.notEnded(application, now);
    const found = rows.find(({ definition }) => (definition as { scenario?: string }).scenario === scenario);
    return found?.name ?? null;
  }

  /** Returns whether an experiment that has not ended at `now` has a variant with a model of its own. */
  async comparesModels(application: string, now: number): Promise<boolean> {
    const row = await this.#d1
      .prepare(
        `SELECT 1 FROM experiments e, json_each(e.definition, '$.variants') v WHERE e.application = ?1
           AND (e.ends_at IS NULL OR e.ends_at > ?2) AND v.value ->> 'model' IS NOT NULL LIMIT 1`,
      )
      .bind(application, now)
      .first();
    return row !== null;
  }

  async find(application: string, name: string): Promise<ExperimentRow | null> {
    const rows = await this.#db
      .select()
      .from(experiments)
      .where(and(eq(experiments.application, application), eq(experiments.name, name)));
    return rows[0] ?? null;
  }

  /**
   * Inserts an experiment, or replaces the run `replaced` of the same name, unless another experiment that has not ended
   * has one of its slots, or one of the registered `models` is gone. Returns whether the experiment is stored: of two
   * concurrent writes, one is.
   */
  async put(
    row: ExperimentRow,
    replaced: string | null,
    models: readonly string[],
    now: number,
  ): Promise<boolean> {
    const { meta } = await this.#d1
      .prepare(
        `INSERT INTO experiments (application, name, run, definition, exclusion_group, slot_from, slot_to, starts_at,
           ends_at, created_at)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10
         WHERE NOT EXISTS (SELECT 1 FROM experiments e WHERE e.application = ?1 AND e.name <> ?2
           AND e.exclusion_group = ?5 AND (e.ends_at IS NULL OR e.ends_at > ?11)
           AND e.slot_from < ?7 AND e.slot_to > ?6)
           AND NOT EXISTS (SELECT 1 FROM json_each(?13) v WHERE NOT EXISTS (SELECT 1 FROM models m
             WHERE m.application = ?1 AND m.version = v.value))
         ON CONFLICT DO UPDATE SET run = excluded.run, definition = excluded.definition,
           exclusion_group = excluded.exclusion_group, slot_from = excluded.slot_from, slot_to = excluded.slot_to,
           starts_at = excluded.starts_at, ends_at = excluded.ends_at, created_at = excluded.created_at
         WHERE experiments.run = ?12`,
      )
      .bind(
        ...[row.application, row.name, row.run, JSON.stringify(row.definition), row.exclusionGroup],
        ...[row.slotFrom, row.slotTo, row.startsAt, row.endsAt, row.createdAt, now, replaced],
        JSON.stringify(models),
      )
      .run();
    return meta.changes > 0;
  }

  async delete(application: string, name: string): Promise<void> {
    await this.#db
      .delete(experiments)
      .where(and(eq(experiments.application, application), eq(experiments.name, name)));
  }
}
