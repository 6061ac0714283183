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

/** What of an experiment is summed up. */
export interface SummedExperiment {
  /** The names of its variants. */
  variants: readonly string[];
  metrics: readonly ExperimentMetric[];
  /** The currency of `revenue`; null if it is not measured. */
  currency: string | null;
}

/** SQL: a user's numerator and denominator of each metric. Parameter 3 is the path of the currency in `revenue`. */
const metricSql: Record<ExperimentMetric, { y: string; x: string }> = {
  clickThrough: { y: "successes", x: "lists" },
  conversion: { y: "(orders > 0)", x: "1" },
  revenue: { y: "coalesce(revenue ->> ?3, 0)", x: "1" },
  diversity: { y: "diversity", x: "lists" },
  latency: { y: "latency_ms", x: "lists" },
};

/** What the rows of an experiment's users add up to. */
export interface ExperimentSums {
  variants: VariantSums[];
  /** Users who have rows of several variants, and count in none. */
  crossed: number;
}

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
   * Returns the sums of metrics over the users of each variant, and how many rows the database read. Revenue is in minor
   * units of `currency`. Each row is read twice: for the sums, and for the residuals from the means. Both read in the order
   * of the primary key and sort nothing.
   */
  async sums(
    application: string,
    run: string,
    { variants, metrics, currency }: SummedExperiment,
  ): Promise<ExperimentSums & { rowsRead: number }> {
    const values = metrics.map(
      (metric, i) => `${metricSql[metric].y} AS y${i}, ${metricSql[metric].x} AS x${i}`,
    );
    const usersSql = `SELECT iif(count(*) = 1, variant, NULL) AS variant, lists, ${values.join(", ")}
      FROM experiment_users WHERE application = ?1 AND run = ?2 AND ?3 = ?3 GROUP BY pseudonym`;
    const keys = [application, run, `$."${currency ?? ""}"`, ...variants];
    /** SQL: the sum of a value over the users of variant `v`. */
    const sumOf = (v: number, value: string): string => `total(iif(variant = ?${4 + v}, ${value}, 0))`;
    const totals = await this.#firstRow(
      `SELECT count(*) - count(variant) AS crossed, ${variants
        .flatMap((_, v) => [
          `${sumOf(v, "1")} AS users${v}, ${sumOf(v, "lists")} AS lists${v}`,
          ...metrics.map((_, i) => `${sumOf(v, `y${i}`)} AS y${v}_${i}, ${sumOf(v, `x${i}`)} AS x${v}_${i}`),
        ])
        .join(", ")} FROM (${usersSql})`,
      keys,
    );
    const meanOf = (v: number, i: number): number =>
      totals.row[`y${v}_${i}`] / Math.max(totals.row[`x${v}_${i}`], 1);
    const residuals = metrics.map((_, i) => {
      const means = variants.map((_, v) => `WHEN ?${4 + v} THEN ${meanOf(v, i)}`);
      return `(y${i} - (CASE variant ${means.join(" ")} END) * x${i}) AS r${i}`;
    });
    const powers = await this.#firstRow(
      `SELECT ${variants
        .flatMap((_, v) =>
          metrics.map((_, i) => {
            const square = `r${i} * r${i}`;
            return `${sumOf(v, square)} AS s${v}_${i}, ${sumOf(v, `${square} * ${square}`)} AS f${v}_${i}`;
          }),
        )
        .join(", ")} FROM (SELECT variant, ${residuals.join(", ")} FROM (${usersSql}))`,
      keys,
    );
    return {
      variants: variants.map((variant, v) => {
        const users = totals.row[`users${v}`];
        const sample = (i: number) => ({
          users,
          numerator: totals.row[`y${v}_${i}`],
          denominator: totals.row[`x${v}_${i}`],
          squares: powers.row[`s${v}_${i}`],
          fourths: powers.row[`f${v}_${i}`],
        });
        return {
          ...{ variant, users, lists: totals.row[`lists${v}`] },
          metrics: Object.fromEntries(metrics.map((metric, i) => [metric, sample(i)])),
        };
      }),
      crossed: totals.row.crossed,
      rowsRead: totals.rowsRead + powers.rowsRead,
    };
  }

  /** Returns the only row of a query, and how many rows the database read for it. */
  async #firstRow(
    query: string,
    parameters: readonly string[],
  ): Promise<{ row: Record<string, number>; rowsRead: number }> {
    const { results, meta } = await this.#db
      .prepare(query)
      .bind(...parameters)
      .all<Record<string, number>>();
    return { row: results[0], rowsRead: meta.rows_read };
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

  /** Deletes all counts of a run, and their sums. */
  async eraseRun(application: string, run: string): Promise<void> {
    await this.#db.batch(
      ["experiment_users", "experiment_sums"].map((table) =>
        this.#db.prepare(`DELETE FROM ${table} WHERE application = ? AND run = ?`).bind(application, run),
      ),
    );
  }
}
