import { and, desc, eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { maxScenarios, maxScenarioVersions } from "../../../shared/contracts/scenario.ts";
import { scenarios } from "../schema.ts";

export type ScenarioRow = typeof scenarios.$inferSelect;

/** The table of scenarios. Every query filters by application first. */
export class ScenarioStore {
  readonly #db: ReturnType<typeof drizzle>;
  readonly #d1: D1Database;

  constructor(database: D1Database) {
    this.#d1 = database;
    this.#db = drizzle(database);
  }

  /** Returns the current version of each scenario, by name. */
  async current(application: string): Promise<ScenarioRow[]> {
    return this.#db
      .select()
      .from(scenarios)
      .where(and(eq(scenarios.application, application), eq(scenarios.isCurrent, true)))
      .orderBy(scenarios.name);
  }

  /** Returns the versions of a scenario, newest first. */
  async versions(application: string, name: string): Promise<ScenarioRow[]> {
    return this.#db
      .select()
      .from(scenarios)
      .where(and(eq(scenarios.application, application), eq(scenarios.name, name)))
      .orderBy(desc(scenarios.version));
  }

  /**
   * Adds a version, which becomes the current one, and removes the oldest versions beyond the limit, in one transaction.
   * Returns the new version; null if the application has its most scenarios already. `createdAt` is in seconds since the
   * Unix epoch.
   */
  async add(application: string, name: string, settings: string, createdAt: number): Promise<number | null> {
    const newest = "(SELECT max(s.version) FROM scenarios s WHERE s.application = ?1 AND s.name = ?2)";
    const [inserted] = await this.#d1.batch<{ version: number }>([
      this.#d1
        .prepare(
          `INSERT INTO scenarios (application, name, version, settings, created_at, is_current)
           SELECT ?1, ?2, coalesce(${newest}, 0) + 1, ?3, ?4, 2
           WHERE ${newest} IS NOT NULL
             OR (SELECT count(DISTINCT s.name) FROM scenarios s WHERE s.application = ?1) < ?5
           RETURNING version`,
        )
        .bind(application, name, settings, createdAt, maxScenarios),
      // The new version is marked by 2. If none was added, the name has no rows.
      this.#d1
        .prepare(
          "UPDATE scenarios SET is_current = (is_current = 2) WHERE application = ?1 AND name = ?2 AND is_current > 0",
        )
        .bind(application, name),
      this.#d1
        .prepare(`DELETE FROM scenarios WHERE application = ?1 AND name = ?2 AND version <= ${newest} - ?3`)
        .bind(application, name, maxScenarioVersions),
    ]);
    return inserted.results[0]?.version ?? null;
  }

  /** Makes a version the current one. Returns whether there is such a version. */
  async makeCurrent(application: string, name: string, version: number): Promise<boolean> {
    const { meta } = await this.#d1
      .prepare(
        `UPDATE scenarios SET is_current = (version = ?3) WHERE application = ?1 AND name = ?2
           AND EXISTS (SELECT 1 FROM scenarios s WHERE s.application = ?1 AND s.name = ?2 AND s.version = ?3)`,
      )
      .bind(application, name, version)
      .run();
    return meta.changes > 0;
  }

  /** Removes a scenario with all its versions. Returns whether there was one. */
  async remove(application: string, name: string): Promise<boolean> {
    const { meta } = await this.#d1
      .prepare("DELETE FROM scenarios WHERE application = ?1 AND name = ?2")
      .bind(application, name)
      .run();
    return meta.changes > 0;
  }
}
