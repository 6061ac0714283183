import type { ExperimentCounts } from "../contracts/queues.ts";
import type { ArmTotals } from "./arm-totals.ts";

/** Counts of a person. */
export interface UserExperimentCounts extends ExperimentCounts {
  /** Their pseudonym. */
  pseudonym: string;
}

/**
 * Counts of people by experiment and arm, in the table `outcomes` of the recommendation worker's database; plain SQL, since
 * people's objects erase from it too. A person is one row, which only a larger count replaces. Rows are taken in only
 * while the roll-out whose name the experiment has is under way, and leave with its end.
 */
export class ExperimentCountsTable {
  readonly #db: D1Database;

  constructor(database: D1Database) {
    this.#db = database;
  }

  /** Takes counts in, as many as there are in one statement. */
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

  /** Sums by arm. */
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

  /** What is held of a person. */
  async ofUser(application: string, pseudonym: string): Promise<UserExperimentCounts[]> {
    const { results } = await this.#db
      .prepare(
        "SELECT pseudonym, experiment, arm, exposures, successes FROM outcomes WHERE application = ? AND pseudonym = ?",
      )
      .bind(application, pseudonym)
      .all<UserExperimentCounts>();
    return results;
  }

  /** Forgets people; answers how many rows it were. */
  async eraseUsers(application: string, pseudonyms: readonly string[]): Promise<number> {
    const { meta } = await this.#db
      .prepare("DELETE FROM outcomes WHERE application = ? AND pseudonym IN (SELECT value FROM json_each(?))")
      .bind(application, JSON.stringify(pseudonyms))
      .run();
    return meta.changes;
  }

  /** Forgets an experiment. */
  async eraseExperiment(application: string, experiment: string): Promise<void> {
    await this.#db
      .prepare("DELETE FROM outcomes WHERE application = ? AND experiment = ?")
      .bind(application, experiment)
      .run();
  }
}
