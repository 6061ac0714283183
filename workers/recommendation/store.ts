import { and, asc, desc, eq, inArray, isNotNull, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { ModelStatus, RolloutVerdict } from "../../shared/contracts/model.ts";
import { drift, modelChanges, models, rollouts } from "./schema.ts";

export type ModelRow = typeof models.$inferSelect;
export type RolloutRow = typeof rollouts.$inferSelect;
export type DriftRow = typeof drift.$inferSelect;
export type ModelChangeRow = typeof modelChanges.$inferSelect;

/** What is added to what was seen of a version in the shadow. */
export type ShadowSums = Pick<RolloutRow, "requests" | "failures" | "overlap" | "distance">;

/** Who or what changes a version, why, and when (seconds since the epoch). */
export interface Cause {
  by: string;
  reason: string;
  now: number;
}

/** The registry's table. Every query begins with the application. */
export class RegistryStore {
  readonly #db: ReturnType<typeof drizzle>;
  readonly #d1: D1Database;

  constructor(database: D1Database) {
    this.#d1 = database;
    this.#db = drizzle(database);
  }

  async serving(application: string): Promise<ModelRow | null> {
    const rows = await this.#db
      .select()
      .from(models)
      .where(and(eq(models.application, application), eq(models.status, "serving")));
    return rows[0] ?? null;
  }

  /** What serves, and what is in the shadow or canary beside it. */
  async inUse(application: string): Promise<{ serving: ModelRow | null; candidate: ModelRow | null }> {
    const rows = await this.#db
      .select()
      .from(models)
      .where(
        and(eq(models.application, application), inArray(models.status, ["serving", "shadow", "canary"])),
      );
    return {
      serving: rows.find(({ status }) => status === "serving") ?? null,
      candidate: rows.find(({ status }) => status !== "serving") ?? null,
    };
  }

  async get(application: string, version: string): Promise<ModelRow | null> {
    const rows = await this.#db
      .select()
      .from(models)
      .where(and(eq(models.application, application), eq(models.version, version)));
    return rows[0] ?? null;
  }

  /** A version by the content of its file. */
  async ofContent(application: string, sha256: string): Promise<ModelRow | null> {
    const rows = await this.#db
      .select()
      .from(models)
      .where(and(eq(models.application, application), eq(models.sha256, sha256)))
      .limit(1);
    return rows[0] ?? null;
  }

  /** Newest first. */
  async list(application: string): Promise<ModelRow[]> {
    return this.#db
      .select()
      .from(models)
      .where(eq(models.application, application))
      .orderBy(desc(models.createdAt));
  }

  /** Adds a version, and why it is where it is; answers false where there is one of that name. */
  async add(row: ModelRow, { by, reason, now }: Cause): Promise<boolean> {
    const added = await this.#db
      .insert(models)
      .values(row)
      .onConflictDoNothing()
      .returning({ version: models.version });
    if (added.length === 0) return false;
    await this.#db
      .insert(modelChanges)
      .values({ ...row, seq: 1, by, reason, at: now })
      .onConflictDoNothing();
    return true;
  }

  /**
   * One transaction: the version, if it is in one of the states `from`, goes to another; to `serving`, and no other serves
   * or is on its way any more; to `shadow` or `canary`, unless another is. Answers whether it did: of two who try, one does.
   */
  async change(
    application: string,
    version: string,
    from: readonly ModelStatus[],
    to: ModelStatus,
    { by, reason, now }: Cause,
  ): Promise<boolean> {
    const applies = `EXISTS (SELECT 1 FROM models m WHERE m.application = ?1 AND m.version = ?2
      AND m.status IN (SELECT value FROM json_each(?3)))
      AND (?4 NOT IN ('shadow', 'canary') OR NOT EXISTS (SELECT 1 FROM models o WHERE o.application = ?1
        AND o.version <> ?2 AND o.status IN ('shadow', 'canary')))`;
    const overtaken = `SELECT version FROM models WHERE application = ?1 AND version <> ?2 AND ?4 = 'serving'
      AND status IN ('serving', 'shadow', 'canary') AND ${applies}`;
    const given = [application, version, JSON.stringify(from), to];
    const note = (which: string, status: string, why: string): string =>
      `INSERT INTO model_changes (application, version, seq, status, "by", reason, at)
       SELECT ?1, v.version, coalesce((SELECT max(c.seq) FROM model_changes c WHERE c.application = ?1
         AND c.version = v.version), 0) + 1, ${status}, ?5, ${why}, ?7 FROM (${which}) v`;
    const noted = [...given, by, reason, now];
    const results = await this.#d1.batch([
      this.#d1.prepare(note(overtaken, "'retired'", "?2 || ' serves: ' || ?6")).bind(...noted),
      this.#d1
        .prepare(`UPDATE models SET status = 'retired' WHERE application = ?1 AND version IN (${overtaken})`)
        .bind(...given),
      this.#d1.prepare(note(`SELECT ?2 AS version WHERE ${applies}`, "?4", "?6")).bind(...noted),
      this.#d1
        .prepare(
          `UPDATE models SET status = ?4, promoted_at = iif(?4 = 'serving', ?5, promoted_at),
             promoted_by = iif(?4 = 'serving', ?6, promoted_by)
           WHERE application = ?1 AND version = ?2 AND ${applies} RETURNING version`,
        )
        .bind(...given, now, by),
    ]);
    return results[3].results.length > 0;
  }

  /** Oldest first. */
  async changes(application: string, version: string): Promise<ModelChangeRow[]> {
    return this.#db
      .select()
      .from(modelChanges)
      .where(and(eq(modelChanges.application, application), eq(modelChanges.version, version)))
      .orderBy(asc(modelChanges.seq));
  }

  async rollout(application: string, version: string): Promise<RolloutRow | null> {
    const rows = await this.#db
      .select()
      .from(rollouts)
      .where(and(eq(rollouts.application, application), eq(rollouts.version, version)));
    return rows[0] ?? null;
  }

  /** Begins what is kept of a version's way; what is there stays. */
  async beginRollout(application: string, version: string, now: number): Promise<void> {
    await this.#db.insert(rollouts).values({ application, version, shadowAt: now }).onConflictDoNothing();
  }

  async noteCanary(application: string, version: string, now: number): Promise<void> {
    await this.#db
      .update(rollouts)
      .set({ canaryAt: now })
      .where(and(eq(rollouts.application, application), eq(rollouts.version, version)));
  }

  async noteVerdict(application: string, version: string, verdict: RolloutVerdict): Promise<void> {
    await this.#db
      .update(rollouts)
      .set({ verdict })
      .where(and(eq(rollouts.application, application), eq(rollouts.version, version)));
  }

  async addShadow(application: string, version: string, sums: ShadowSums): Promise<void> {
    await this.#db
      .update(rollouts)
      .set({
        requests: sql`${rollouts.requests} + ${sums.requests}`,
        failures: sql`${rollouts.failures} + ${sums.failures}`,
        overlap: sql`${rollouts.overlap} + ${sums.overlap}`,
        distance: sql`${rollouts.distance} + ${sums.distance}`,
      })
      .where(and(eq(rollouts.application, application), eq(rollouts.version, version)));
  }

  /** Applications that have a version on its way or waiting. */
  async underWay(): Promise<string[]> {
    const rows = await this.#db
      .selectDistinct({ application: models.application })
      .from(models)
      .where(inArray(models.status, ["registered", "shadow", "canary"]));
    return rows.map(({ application }) => application);
  }

  /** Figures of a version on its days, newest first. */
  async drift(application: string, version: string, limit: number): Promise<DriftRow[]> {
    return this.#db
      .select()
      .from(drift)
      .where(and(eq(drift.application, application), eq(drift.version, version)))
      .orderBy(desc(drift.day))
      .limit(limit);
  }

  /** The first day of a version that was looked at. */
  async firstDrift(application: string, version: string): Promise<DriftRow | null> {
    const rows = await this.#db
      .select()
      .from(drift)
      .where(and(eq(drift.application, application), eq(drift.version, version)))
      .orderBy(asc(drift.day))
      .limit(1);
    return rows[0] ?? null;
  }

  /** When a day of an application was looked at under a name; null for never. */
  async driftAt(application: string, version: string, day: string): Promise<number | null> {
    const rows = await this.#db
      .select({ at: drift.updatedAt })
      .from(drift)
      .where(and(eq(drift.application, application), eq(drift.version, version), eq(drift.day, day)));
    return rows[0]?.at ?? null;
  }

  async putDrift(row: DriftRow): Promise<void> {
    const { figures, updatedAt } = row;
    await this.#db
      .insert(drift)
      .values(row)
      .onConflictDoUpdate({
        target: [drift.application, drift.version, drift.day],
        set: { figures, updatedAt },
      });
  }

  /** Forgets days before one, but the first of each version, which others are held against; of `marker` all. */
  async forgetDrift(application: string, marker: string, before: string): Promise<void> {
    await this.#d1
      .prepare(
        `DELETE FROM drift WHERE application = ?1 AND day < ?3 AND (version = ?2 OR day >
           (SELECT min(d.day) FROM drift d WHERE d.application = ?1 AND d.version = drift.version))`,
      )
      .bind(application, marker, before)
      .run();
  }

  /** Applications that have a model of their own. */
  async applications(): Promise<string[]> {
    const rows = await this.#db.selectDistinct({ application: models.application }).from(models);
    return rows.map(({ application }) => application);
  }

  /** Forgets versions and all that is told of them. */
  async remove(application: string, versions: readonly string[]): Promise<void> {
    const which = [application, JSON.stringify(versions)];
    await this.#d1.batch(
      ["drift", "rollouts", "model_changes", "models"].map((table) =>
        this.#d1
          .prepare(
            `DELETE FROM ${table} WHERE application = ?1 AND version IN (SELECT value FROM json_each(?2))`,
          )
          .bind(...which),
      ),
    );
  }

  /** The version that served before the present one. */
  async previous(application: string): Promise<ModelRow | null> {
    const rows = await this.#db
      .select()
      .from(models)
      .where(
        and(eq(models.application, application), eq(models.status, "retired"), isNotNull(models.promotedAt)),
      )
      .orderBy(desc(models.promotedAt))
      .limit(1);
    return rows[0] ?? null;
  }

  /** Fails where the migrations have not been applied. */
  async probe(): Promise<void> {
    await this.#db.select({ version: models.version }).from(models).limit(1);
  }
}
