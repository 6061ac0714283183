import type { ExperimentCounts } from "../contracts/queues.ts";
import type { ArmTotals } from "./arm-totals.ts";

/** A user's counts in one arm of an experiment. */
export interface UserExperimentCounts extends ExperimentCounts {
  /** The user's pseudonym. */
  pseudonym: string;
}

/**
 * Access to the counts of rollouts: the table `outcomes` of the recommendation worker's database: one row per user and experiment, which only a
 * larger count replaces. Rows are inserted only while the rollout of the experiment is a canary, and deleted when the
 * canary ends. The queries are plain SQL, because each user's Durable Object runs them too when it erases the user.
 */
export class ExperimentCountsTable {
  readonly #db: D1Database;

  constructor(database: D1Database) {
    this.#db = database;
  }

  /** Inserts or replaces counts, in one statement. Counts of experiments that are not running are ignored. */
  async put(application: string, counts: readonly UserExperimentCounts[]): Promise<void> {
    if (counts.length === 0) return;
    await this.#db
      .prepare(
        `INSERT INTO outcomes (application, experiment, pseudonym, arm, exposures, successes)
         SELECT ?1, e.value ->> 'experiment', e.value ->> 'pseudonym', e.value ->> 'arm', e.value ->> 'exposures',
           e.value ->> 'successes'
         FROM json_each(?2) e
         WHERE EXISTS (SELECT 1 FROM models m WHERE m.application = ?1 AND m.status = 'canary'
           AND 'rollout:' || m.version = e.value ->> 'experiment')
         ON CONFLICT DO UPDATE SET exposures = excluded.exposures, successes = excluded.successes
         WHERE excluded.exposures > outcomes.exposures`,
      )
      .bind(application, JSON.stringify(counts))
      .run();
  }

  /** Returns the sums over the users of each arm, by arm. */
  async totals(application: string, experiment: string): Promise<Map<string, ArmTotals>> {
    const { results } = await this.#db
      .prepare(
        `SELECT arm, count(*) AS people, sum(exposures) AS exposures, sum(successes) AS successes,
           sum(exposures * exposures) AS exposuresSquared, sum(exposures * successes) AS exposuresTimesSuccesses,
           sum(successes * successes) AS successesSquared
         FROM outcomes WHERE application = ? AND experiment = ? GROUP BY arm`,
      )
      .bind(application, experiment)
      .all<ArmTotals & { arm: string }>();
    return new Map(results.map(({ arm, ...totals }) => [arm, totals]));
  }

  /** Returns the counts of one user in all running experiments. */
  async ofUser(application: string, pseudonym: string): Promise<UserExperimentCounts[]> {
    const { results } = await this.#db
      .prepare(
        "SELECT pseudonym, experiment, arm, exposures, successes FROM outcomes WHERE application = ? AND pseudonym = ?",
      )
      .bind(application, pseudonym)
      .all<UserExperimentCounts>();
    return results;
  }

  /** Deletes the counts of users, in rollouts and in all other experiments. Returns the number of deleted rows. */
  async eraseUsers(application: string, pseudonyms: readonly string[]): Promise<number> {
    const users = "application = ?1 AND pseudonym IN (SELECT value FROM json_each(?2))";
    const [, ...results] = await this.#db.batch(
      [
        // Results that were computed with the users' counts are computed anew.
        `DELETE FROM experiment_sums WHERE application = ?1 AND run IN (SELECT run FROM experiment_users WHERE ${users})`,
        `DELETE FROM outcomes WHERE ${users}`,
        `DELETE FROM experiment_users WHERE ${users}`,
      ].map((statement) => this.#db.prepare(statement).bind(application, JSON.stringify(pseudonyms))),
    );
    return results.reduce((sum, { meta }) => sum + meta.changes, 0);
  }

  /** Deletes all counts of an experiment. */
  async eraseExperiment(application: string, experiment: string): Promise<void> {
    await this.#db
      .prepare("DELETE FROM outcomes WHERE application = ? AND experiment = ?")
      .bind(application, experiment)
      .run();
  }
}
