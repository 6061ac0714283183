/** A statement that a database ran, with how it finds its rows. */
export interface StatementPlan {
  sql: string;
  /** The lines of `EXPLAIN QUERY PLAN`. */
  plan: string[];
}

/** A recording database and the plans of the statements that ran on it. */
export interface PlanRecorder {
  database: D1Database;
  /** Returns the plan of each different statement that ran, in the order in which they first ran. */
  plans: () => Promise<StatementPlan[]>;
}

/**
 * Returns a database that remembers the statements it runs, so that a test can ask SQLite how each finds its rows. A
 * statement is explained with the parameters of its first run.
 */
export function recordPlans(database: D1Database): PlanRecorder {
  const statements = new Map<string, unknown[]>();
  /** The prepared statements, with what a batch runs. */
  const prepared = new WeakMap<object, { sql: string; values: unknown[] }>();
  const remember = (statement: object): void => {
    const known = prepared.get(statement);
    if (known && !statements.has(known.sql)) statements.set(known.sql, known.values);
  };
  const originals = new WeakMap<object, D1PreparedStatement>();
  const wrap = (original: D1PreparedStatement, sql: string, values: unknown[]): D1PreparedStatement => {
    const wrapped: D1PreparedStatement = new Proxy(original, {
      get(target, name) {
        if (name === "bind") return (...bound: unknown[]) => wrap(target.bind(...bound), sql, bound);
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          remember(wrapped);
          return value.apply(target, args);
        };
      },
    });
    prepared.set(wrapped, { sql, values });
    originals.set(wrapped, original);
    return wrapped;
  };
  const recording = new Proxy(database, {
    get(target, name) {
      if (name === "prepare") return (sql: string) => wrap(target.prepare(sql), sql, []);
      if (name === "batch")
        return (batch: D1PreparedStatement[]) => {
          for (const statement of batch) remember(statement);
          return target.batch(batch.map((statement) => originals.get(statement) ?? statement));
        };
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return {
    database: recording,
    plans: async () => {
      const plans: StatementPlan[] = [];
      for (const [sql, values] of statements) {
        if (!/^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)/i.test(sql)) continue;
        const { results } = await database
          .prepare(`EXPLAIN QUERY PLAN ${sql}`)
          .bind(...values)
          .all<{ detail: string }>();
        plans.push({ sql, plan: results.map(({ detail }) => detail) });
      }
      return plans;
    },
  };
}

/**
 * Returns the lines of plans that read a whole table, or sort what they read, with their statements. `small` are tables
 * and aliases that do not grow: temporary results, lists of parameters, tables of a fixed size.
 */
export function fullScans(plans: readonly StatementPlan[], small: readonly string[]): string[] {
  const found: string[] = [];
  for (const { sql, plan } of plans)
    for (const line of plan) {
      const [, scanned] = /^SCAN (\S+)/.exec(line) ?? [];
      if (scanned === undefined || line.includes("VIRTUAL TABLE") || small.includes(scanned)) continue;
      // A table-valued function is a list of parameters; a subquery and a constant row have no table of their own.
      if (/^SCAN (\(subquery|CONSTANT ROW|\d)/.test(line)) continue;
      found.push(`${line} in: ${sql.replace(/\s+/g, " ").trim()}`);
    }
  return found;
}
