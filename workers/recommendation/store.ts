import { and, asc, desc, eq, inArray, isNotNull, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { ModelStatus, RolloutVerdict } from "../../shared/contracts/model.ts";
import { drift, modelChanges, models, rollouts, uploads } from "./schema.ts";

export type ModelRow = typeof models.$inferSelect;
export type RolloutRow = typeof rollouts.$inferSelect;
export type DriftRow = typeof drift.$inferSelect;
export type ModelChangeRow = typeof modelChanges.$inferSelect;

/** Increments of a version's shadow statistics. */
export type ShadowSums = Pick<RolloutRow, "requests" | "failures" | "overlap" | "distance">;

/** Who changes a version's status, why, and when. */
export interface StatusChangeCause {
  by: string;
  reason: string;
  /** Seconds since the Unix epoch. */
  now: number;
}

/** SQL: the versions that experiments of an application compare which have not ended at a time. */
const comparedVersions = (application: string, now: string): string =>
  `SELECT v.value ->> 'model' FROM experiments e, json_each(e.definition, '$.variants') v
   WHERE e.application = ${application} AND (e.ends_at IS NULL OR e.ends_at > ${now}) AND v.value ->> 'model' IS NOT NULL`;

/** The tables of the model registry. Every query filters by application first. */
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

  /** Returns the serving version, and the candidate version in shadow or canary. */
  async servingAndCandidate(
    application: string,
  ): Promise<{ serving: ModelRow | null; candidate: ModelRow | null }> {
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

  /** Returns the registered versions that experiments compare which have not ended at `now`, in seconds since the epoch. */
  async compared(application: string, now: number): Promise<ModelRow[]> {
    const versions = sql.raw(`(${comparedVersions("models.application", String(now))})`);
    return this.#db
      .select()
      .from(models)
      .where(and(eq(models.application, application), sql`${models.version} IN ${versions}`));
  }

  async version(application: string, version: string): Promise<ModelRow | null> {
    const rows = await this.#db
      .select()
      .from(models)
      .where(and(eq(models.application, application), eq(models.version, version)));
    return rows[0] ?? null;
  }

  /** Returns a version by the hash of its file. */
  async bySha256(application: string, sha256: string): Promise<ModelRow | null> {
    const rows = await this.#db
      .select()
      .from(models)
      .where(and(eq(models.application, application), eq(models.sha256, sha256)))
      .limit(1);
    return rows[0] ?? null;
  }

  /** Returns all versions, newest first. */
  async list(application: string): Promise<ModelRow[]> {
    return this.#db
      .select()
      .from(models)
      .where(eq(models.application, application))
      .orderBy(desc(models.createdAt));
  }

  /** Adds a version and its first status change. Returns false if the version exists already. */
  async add(row: ModelRow, { by, reason, now }: StatusChangeCause): Promise<boolean> {
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
   * Changes a version's status in one transaction, if its status is one of `from`. A version that becomes `serving`
   * retires the serving version and the candidate. A version becomes `shadow` or `canary` only if no other version is
   * in one of them. Returns whether the status changed: of two concurrent callers, one succeeds.
   */
  async changeStatus(
    application: string,
    version: string,
    from: readonly ModelStatus[],
    to: ModelStatus,
    { by, reason, now }: StatusChangeCause,
  ): Promise<boolean> {
    const applies = `EXISTS (SELECT 1 FROM models m WHERE m.application = ?1 AND m.version = ?2
      AND m.status IN (SELECT value FROM json_each(?3)))
      AND (?4 NOT IN ('shadow', 'canary') OR NOT EXISTS (SELECT 1 FROM models o WHERE o.application = ?1
        AND o.version <> ?2 AND o.status IN ('shadow', 'canary')))`;
    const replaced = `SELECT version FROM models WHERE application = ?1 AND version <> ?2 AND ?4 = 'serving'
      AND status IN ('serving', 'shadow', 'canary') AND ${applies}`;
    const keys = [application, version, JSON.stringify(from), to];
    const insertChange = (versions: string, status: string, reasonSql: string): string =>
      `INSERT INTO model_changes (application, version, seq, status, "by", reason, at)
       SELECT ?1, v.version, coalesce((SELECT max(c.seq) FROM model_changes c WHERE c.application = ?1
         AND c.version = v.version), 0) + 1, ${status}, ?5, ${reasonSql}, ?7 FROM (${versions}) v`;
    const changeValues = [...keys, by, reason, now];
    const results = await this.#d1.batch([
      this.#d1.prepare(insertChange(replaced, "'retired'", "?2 || ' serves: ' || ?6")).bind(...changeValues),
      this.#d1
        .prepare(`UPDATE models SET status = 'retired' WHERE application = ?1 AND version IN (${replaced})`)
        .bind(...keys),
      this.#d1
        .prepare(insertChange(`SELECT ?2 AS version WHERE ${applies}`, "?4", "?6"))
        .bind(...changeValues),
      this.#d1
        .prepare(
          `UPDATE models SET status = ?4, promoted_at = iif(?4 = 'serving', ?5, promoted_at),
             promoted_by = iif(?4 = 'serving', ?6, promoted_by)
           WHERE application = ?1 AND version = ?2 AND ${applies} RETURNING version`,
        )
        .bind(...keys, now, by),
    ]);
    return results[3].results.length > 0;
  }

  /** Returns the status changes of a version, oldest first. */
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

  /** Adds the rollout of a version; an existing rollout is unchanged. */
  async beginRollout(application: string, version: string, now: number): Promise<void> {
    await this.#db.insert(rollouts).values({ application, version, shadowAt: now }).onConflictDoNothing();
  }

  async setCanaryStart(application: string, version: string, now: number): Promise<void> {
    await this.#db
      .update(rollouts)
      .set({ canaryAt: now })
      .where(and(eq(rollouts.application, application), eq(rollouts.version, version)));
  }

  async setVerdict(application: string, version: string, verdict: RolloutVerdict): Promise<void> {
    await this.#db
      .update(rollouts)
      .set({ verdict })
      .where(and(eq(rollouts.application, application), eq(rollouts.version, version)));
  }

  async addShadowSums(application: string, version: string, sums: ShadowSums): Promise<void> {
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

  /** Returns the applications that have a registered, shadow or canary version. */
  async applicationsWithRollouts(): Promise<string[]> {
    const rows = await this.#db
      .selectDistinct({ application: models.application })
      .from(models)
      .where(inArray(models.status, ["registered", "shadow", "canary"]));
    return rows.map(({ application }) => application);
  }

  /** Returns the drift of a version by day, newest first. */
  async drift(application: string, version: string, limit: number): Promise<DriftRow[]> {
    return this.#db
      .select()
      .from(drift)
      .where(and(eq(drift.application, application), eq(drift.version, version)))
      .orderBy(desc(drift.day))
      .limit(limit);
  }

  /** Returns the drift of a version on its first day. */
  async firstDriftDay(application: string, version: string): Promise<DriftRow | null> {
    const rows = await this.#db
      .select()
      .from(drift)
      .where(and(eq(drift.application, application), eq(drift.version, version)))
      .orderBy(asc(drift.day))
      .limit(1);
    return rows[0] ?? null;
  }

  /** Returns when the drift of a day was stored, in seconds since the Unix epoch; null if it was not. */
  async driftUpdatedAt(application: string, version: string, day: string): Promise<number | null> {
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

  /**
   * Deletes the drift of days before `before`, except the first day of each version, which is the reference for later
   * days. Deletes all such days of the version `marker`.
   */
  async removeDriftBefore(application: string, marker: string, before: string): Promise<void> {
    await this.#d1
      .prepare(
        `DELETE FROM drift WHERE application = ?1 AND day < ?3 AND (version = ?2 OR day >
           (SELECT min(d.day) FROM drift d WHERE d.application = ?1 AND d.version = drift.version))`,
      )
      .bind(application, marker, before)
      .run();
  }

  /** Returns the applications that have a registered model. */
  async applications(): Promise<string[]> {
    const rows = await this.#db.selectDistinct({ application: models.application }).from(models);
    return rows.map(({ application }) => application);
  }

  /**
   * Deletes versions with their changes, rollouts and drift, except those that experiments compare which have not ended at
   * `now`, in seconds since the epoch. Returns the deleted versions.
   */
  async removeVersions(application: string, versions: readonly string[], now: number): Promise<string[]> {
    const results = await this.#d1.batch<{ version: string }>(
      ["drift", "rollouts", "model_changes", "models"].map((table) =>
        this.#d1
          .prepare(
            `DELETE FROM ${table} WHERE application = ?1 AND version IN (SELECT value FROM json_each(?2))
               AND version NOT IN (${comparedVersions("?1", "?3")}) RETURNING version`,
          )
          .bind(application, JSON.stringify(versions), now),
      ),
    );
    return results[3].results.map(({ version }) => version);
  }

  /** Returns the version that was serving most recently before the present one. */
  async previouslyServing(application: string): Promise<ModelRow | null> {
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

  /** Throws if the migrations have not been applied. */
  async probe(): Promise<void> {
    await this.#db.select({ version: models.version }).from(models).limit(1);
  }

  /**
   * Notes that an upload starts, unless the application has `running` others that have not ended, or `perHour` within an
   * hour. An upload that has not ended after `timeoutSeconds` was interrupted. Returns whether it may start.
   */
  async startUpload(
    { application, id, now }: { application: string; id: string; now: number },
    limits: { running: number; perHour: number; timeoutSeconds: number },
  ): Promise<boolean> {
    const [, started] = await this.#d1.batch([
      this.#d1
        .prepare("DELETE FROM uploads WHERE application = ?1 AND started_at <= ?2")
        .bind(application, now - 3600),
      this.#d1
        .prepare(
          `INSERT INTO uploads (application, id, started_at) SELECT ?1, ?2, ?3
           WHERE (SELECT count(*) FROM uploads WHERE application = ?1 AND ended_at IS NULL AND started_at > ?4) < ?5
           AND (SELECT count(*) FROM uploads WHERE application = ?1) < ?6`,
        )
        .bind(application, id, now, now - limits.timeoutSeconds, limits.running, limits.perHour),
    ]);
    return started.meta.changes > 0;
  }

  /** Notes that an upload has ended. */
  async endUpload(application: string, id: string, now: number): Promise<void> {
    await this.#db
      .update(uploads)
      .set({ endedAt: now })
      .where(and(eq(uploads.application, application), eq(uploads.id, id)));
  }
}
