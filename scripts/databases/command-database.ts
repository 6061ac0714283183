import type { D1Database, D1PreparedStatement, D1Result } from "@cloudflare/workers-types";
import * as z from "zod";

/** Runs statements in one transaction, and returns what `wrangler d1 execute --json` prints. */
export type ExecuteSql = (sql: string) => Promise<string>;

type Value = string | number | null;
type Row = Record<string, Value>;

const executed = z.array(
  z.object({
    results: z.array(z.record(z.string(), z.union([z.string(), z.number(), z.null()]))),
    meta: z.looseObject({}).optional(),
  }),
);

const literal = (value: unknown): string => {
  if (value === null || value === undefined) return "NULL";
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  if (typeof value === "string") return `'${value.replaceAll("'", "''")}'`;
  throw new Error(`A ${typeof value} cannot be a parameter of a statement.`);
};

/**
 * Returns a statement with its parameters in place of the question marks. A question mark in a quoted name or text
 * stays.
 */
export function inlineParameters(sql: string, parameters: readonly unknown[]): string {
  let next = 0;
  const inlined = sql.replace(/"[^"]*"|'[^']*'|\?/g, (part) => {
    if (part !== "?") return part;
    if (next >= parameters.length) throw new Error("The statement has more question marks than parameters.");
    return literal(parameters[next++]);
  });
  if (next !== parameters.length) throw new Error("The statement has fewer question marks than parameters.");
  return inlined;
}

/** Returns the results in the output of wrangler, which may print other lines before them. */
function parseResults(output: string): Row[][] {
  const from = output.search(/^\[/m);
  const to = output.lastIndexOf("]");
  if (from < 0 || to < from) throw new Error(`wrangler printed no results:\n${output.trim()}`);
  return executed.parse(JSON.parse(output.slice(from, to + 1))).map(({ results }) => results);
}

/** A statement with its parameters, as Drizzle prepares it. */
class CommandStatement {
  readonly #execute: ExecuteSql;
  readonly #sql: string;
  readonly #parameters: readonly unknown[];

  constructor(execute: ExecuteSql, sql: string, parameters: readonly unknown[] = []) {
    this.#execute = execute;
    this.#sql = sql;
    this.#parameters = parameters;
  }

  get text(): string {
    return inlineParameters(this.#sql, this.#parameters);
  }

  bind(...parameters: unknown[]): CommandStatement {
    return new CommandStatement(this.#execute, this.#sql, parameters);
  }

  async all(): Promise<{ results: Row[] }> {
    const [results = []] = parseResults(await this.#execute(this.text));
    return { results };
  }

  run(): Promise<{ results: Row[] }> {
    return this.all();
  }

  async raw(): Promise<Value[][]> {
    return (await this.all()).results.map((row) => Object.values(row));
  }
}

/**
 * Returns a D1 database whose statements are commands, for code that is written for the Worker's binding. It has what
 * Drizzle uses: `prepare` and `batch`. A batch is one command, which D1 runs as one transaction.
 */
export function commandDatabase(execute: ExecuteSql): D1Database {
  return {
    prepare: (sql: string) => new CommandStatement(execute, sql) as unknown as D1PreparedStatement,
    batch: async (statements: D1PreparedStatement[]) => {
      const texts = statements.map((each) => (each as unknown as CommandStatement).text);
      return parseResults(await execute(texts.join(";\n"))).map((results) => ({ results })) as D1Result[];
    },
  } as unknown as D1Database;
}
