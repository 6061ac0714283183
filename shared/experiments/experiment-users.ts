import type { ExperimentMetric } from "../contracts/experiment.ts";
import type { ExperimentCounts } from "../contracts/queues.ts";
import type { UserExperimentCounts } from "./experiment-counts.ts";

/** What a query says of one variant: the sums of a metric over its users, and of the powers of their residuals. */
export interface VariantSums {
  variant: string;
  users: number;
  lists: number;
  metrics: Partial<
    Record<
      ExperimentMetric,
      { users: number; numerator: number; denominator: number; squares: number; fourths: number }
    >
  >;
}

/** SQL: a user's numerator and denominator of each metric. Parameter 3 is the path of the currency in `revenue`. */
const metricSql: Record<ExperimentMetric, { y: string; x: string }> = {
  clickThrough: { y: "successes", x: "lists" },
  conversion: { y: "(orders > 0)", x: "1" },
  revenue: { y: "coalesce(revenue ->> ?3, 0)", x: "1" },
  diversity: { y: "diversity", x: "lists" },
  latency: { y: "latency_ms", x: "lists" },
};

/** SQL: the users of a run (parameters 1 and 2) who have rows of several variants. */
const crossedSql = `SELECT pseudonym FROM experiment_users WHERE application = ?1 AND run = ?2
  GROUP BY pseudonym HAVING count(*) > 1`;

/**
 * Access to the table `experiment_users` of the recommendation worker's database: a row for each user and variant, which
 * only newer counts replace. Rows are inserted only while the experiment runs.
 */
export class ExperimentUsersTable {
  readonly #db: D1Database;

  constructor(database: D1Database) {
    this.#db = database;
  }

  /**
   * Inserts or replaces counts, in one statement. Counts of experiments that do not run at `now` (seconds since the
   * epoch) are ignored, and counts without measures.
   */
  async put(application: string, counts: readonly UserExperimentCounts[], now: number): Promise<void> {
    const measured = counts.filter(({ measures }) => measures !== undefined);
    if (measured.length === 0) return;
    await this.#db
      .prepare(
        `INSERT INTO experiment_users (application, run, pseudonym, variant, revision, lists, successes, orders, units,
           revenue, diversity, latency_ms)
         SELECT ?1, c.value ->> 'experiment', c.value ->> 'pseudonym', c.value ->> 'arm',
           c.value ->> '$.measures.revision', c.value ->> 'exposures', c.value ->> 'successes',
           c.value ->> '$.measures.orders', c.value ->> '$.measures.units', c.value -> '$.measures.revenue',
           c.value ->> '$.measures.diversity', c.value ->> '$.measures.latencyMs'
         FROM json_each(?2) c
         WHERE EXISTS (SELECT 1 FROM experiments e WHERE e.application = ?1 AND e.run = c.value ->> 'experiment'
           AND e.starts_at <= ?3 AND (e.ends_at IS NULL OR e.ends_at > ?3))
         ON CONFLICT DO UPDATE SET revision = excluded.revision, lists = excluded.lists,
           successes = excluded.successes, orders = excluded.orders, units = excluded.units,
           revenue = excluded.revenue, diversity = excluded.diversity, latency_ms = excluded.latency_ms
         WHERE excluded.revision > experiment_users.revision`,
      )
      .bind(application, JSON.stringify(measured), now)
      .run();
  }

  /**
   * Returns the sums of metrics over the users of each variant, and how many users have rows of several variants and
   * count in none. Revenue is in minor units of `currency`.
   */
  async sums(
    application: string,
    run: string,
    metrics: readonly ExperimentMetric[],
    currency: string | null,
  ): Promise<{ variants: VariantSums[]; crossed: number }> {
    const columns = metrics.map(
      (metric, i) => `${metricSql[metric].y} AS y${i}, ${metricSql[metric].x} AS x${i}`,
    );
    const totals = metrics.map((_, i) => `total(y${i}) AS sumY${i}, total(x${i}) AS sumX${i}`);
    const powers = metrics.map((_, i) => {
      const residual = `(u.y${i} - t.sumY${i} / max(t.sumX${i}, 1) * u.x${i})`;
      const square = `${residual} * ${residual}`;
      return `t.sumY${i} AS numerator${i}, t.sumX${i} AS denominator${i}, total(${square}) AS squares${i},
        total(${square} * ${square}) AS fourths${i}`;
    });
    const [variants, crossed] = await this.#db.batch([
      this.#db
        .prepare(
          `WITH u AS MATERIALIZED (SELECT variant, lists, ${columns.join(", ")} FROM experiment_users
             WHERE application = ?1 AND run = ?2 AND ?3 = ?3 AND pseudonym NOT IN (${crossedSql})),
           t AS MATERIALIZED (SELECT variant, ${totals.join(", ")} FROM u GROUP BY variant)
           SELECT u.variant, count(*) AS users, sum(u.lists) AS lists, ${powers.join(", ")}
           FROM u JOIN t ON t.variant = u.variant GROUP BY u.variant`,
        )
        .bind(application, run, `$."${currency ?? ""}"`),
      this.#db.prepare(`SELECT count(*) AS crossed FROM (${crossedSql})`).bind(application, run),
    ]);
    const rows = variants.results as ({ variant: string; users: number; lists: number } & Record<
      string,
      number
    >)[];
    return {
      variants: rows.map((row) => ({
        variant: row.variant,
        users: row.users,
        lists: row.lists,
        metrics: Object.fromEntries(
          metrics.map((metric, i) => [
            metric,
            {
              users: row.users,
              numerator: row[`numerator${i}`],
              denominator: row[`denominator${i}`],
              squares: row[`squares${i}`],
              fourths: row[`fourths${i}`],
            },
          ]),
        ),
      })),
      crossed: (crossed.results as { crossed: number }[])[0].crossed,
    };
  }

  /** Returns the counts of one user in all experiments. */
  async ofUser(application: string, pseudonym: string): Promise<ExperimentCounts[]> {
    const { results } = await this.#db
      .prepare(
        `SELECT run, variant, revision, lists, successes, orders, units, revenue, diversity, latency_ms AS latencyMs
         FROM experiment_users WHERE application = ? AND pseudonym = ?`,
      )
      .bind(application, pseudonym)
      .all<{
        run: string;
        variant: string;
        revision: number;
        lists: number;
        successes: number;
        orders: number;
        units: number;
        revenue: string;
        diversity: number;
        latencyMs: number;
      }>();
    return results.map(({ run, variant, lists, successes, revenue, ...measures }) => ({
      ...{ experiment: run, arm: variant, exposures: lists, successes },
      measures: { ...measures, revenue: JSON.parse(revenue) },
    }));
  }

  /** Deletes all counts of a run. */
  async eraseRun(application: string, run: string): Promise<void> {
    await this.#db
      .prepare("DELETE FROM experiment_users WHERE application = ? AND run = ?")
      .bind(application, run)
      .run();
  }
}
