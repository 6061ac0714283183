import {
  type ExperimentSums,
  ExperimentUsersTable,
  type SummedExperiment,
} from "../../../shared/experiments/experiment-users.ts";

/** Seconds after which another caller may compute sums that somebody began to compute: a request may die. */
const claimSeconds = 30;

/**
 * Returns the age at which sums over `users` users are computed again, in seconds: ten minutes for 100,000 users. So an
 * experiment reads the rows of at most 600,000 users an hour, however many it has and however often its results are read. Only
 * the erasure of one of its users has them computed again earlier.
 */
export const maxAgeOfSums = (users: number): number => 0.006 * users;

/** Sums, and when they were computed, in seconds since the epoch. */
export type DatedSums = ExperimentSums & { computedAt: number };

interface StoredRow {
  sums: string | null;
  users: number;
  computed_at: number;
}

/** The table `experiment_sums`: the sums of an experiment are computed by one reader and read by all. */
export class StoredSums {
  readonly #db: D1Database;
  readonly #users: ExperimentUsersTable;

  constructor(database: D1Database) {
    this.#db = database;
    this.#users = new ExperimentUsersTable(database);
  }

  /**
   * Returns the sums of an experiment, see `ExperimentUsersTable.sums`: the stored ones if they are new enough or if somebody
   * is computing newer ones. `now` is in seconds since the epoch.
   */
  async read(application: string, run: string, summed: SummedExperiment, now: number): Promise<DatedSums> {
    const stored = await this.#find(application, run);
    if (stored && now - stored.computedAt < maxAgeOfSums(stored.users)) return stored.sums;
    const isMine = await this.#claim(application, run, now);
    if (stored && !isMine) return stored.sums;
    const { variants, crossed } = await this.#users.sums(application, run, summed);
    const sums = { variants, crossed };
    const users = variants.reduce((sum, each) => sum + each.users, crossed);
    await this.#db
      .prepare(
        `UPDATE experiment_sums SET sums = ?3, users = ?4, computed_at = ?5, claimed_at = 0
         WHERE application = ?1 AND run = ?2 AND computed_at < ?5`,
      )
      .bind(application, run, JSON.stringify(sums), users, now)
      .run();
    return { ...sums, computedAt: now };
  }

  async #find(application: string, run: string) {
    const row = await this.#db
      .prepare("SELECT sums, users, computed_at FROM experiment_sums WHERE application = ? AND run = ?")
      .bind(application, run)
      .first<StoredRow>();
    if (row?.sums == null) return null;
    const sums: ExperimentSums = JSON.parse(row.sums);
    return { sums: { ...sums, computedAt: row.computed_at }, users: row.users, computedAt: row.computed_at };
  }

  /** Notes that the caller computes sums. Returns false if somebody else does, or if the experiment was deleted. */
  async #claim(application: string, run: string, now: number): Promise<boolean> {
    const { meta } = await this.#db
      .prepare(
        `INSERT INTO experiment_sums (application, run, claimed_at)
         SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM experiments WHERE application = ?1 AND run = ?2)
         ON CONFLICT DO UPDATE SET claimed_at = ?3 WHERE claimed_at <= ?3 - ?4`,
      )
      .bind(application, run, now, claimSeconds)
      .run();
    return meta.changes > 0;
  }
}
