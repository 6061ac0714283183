import { join } from "node:path";
import { createTestHarness } from "wrangler";
import { citySeedStatements } from "../../scripts/databases/cities.ts";
import { pagesConfig, workers } from "../../scripts/workers.ts";

const root = join(import.meta.dirname, "../..");

/** Number of seed statements to run. Large cities come first in the seed, so a few statements are enough. */
const citySeedStatementCount = 5;

const pseudonyms = { PSEUDONYM_SECRET: "another-secret-of-the-tests-0123456789" };

/** Secrets of the workers in tests, by name of the worker. */
export const stackSecrets = {
  gateway: {
    TOKEN_SECRET: "a-secret-of-the-tests-0123456789abcdef",
    DEVELOPMENT_KEYS: "the-marker-of-the-tests-0123456789abcdef",
  },
  recommendation: pseudonyms,
  "user-session": pseudonyms,
};
const secretsByWorker: Readonly<Record<string, Record<string, string>>> = stackSecrets;

/** Selects the names of the tables that migrations or Durable Objects create, without those of the platform. */
export const listTablesSql =
  "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\' AND name <> 'd1_migrations'";

/** Options of {@link TestStack.call}. */
export interface ApiCallOptions {
  /** API key or user token; the default is the admin key, and an empty text sends none. */
  key?: string;
  /** Text and bytes are sent unchanged, other values as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
}

/** A response with its body: parsed if the body is JSON, else as text. */
export interface ApiResponse<T> {
  status: number;
  headers: Headers;
  body: T;
}

/** Variables of a stack whose users allow exact locations unless they state another consent. */
export const exactByDefault = Object.fromEntries(
  ["gateway", "recommendation", "user-session", "user"].map((name) => [name, { DEFAULT_CONSENT: "exact" }]),
);

/** Variables of all stacks. No order is drawn by chance, unless a test says so: tests look at the first products. */
const variablesOfTests: Readonly<Record<string, Record<string, string>>> = {
  recommendation: { ROLLOUT: '{"exploration":{"rate":0.02}}' },
};

/** All workers in one process, with their real configurations, empty migrated databases and the large cities. */
export class TestStack {
  readonly #server: ReturnType<typeof createTestHarness>;
  #url = "";

  /** `variables` override variables of the configurations, by name of the worker. */
  constructor(variables: Readonly<Record<string, Record<string, string>>> = {}) {
    this.#server = createTestHarness({
      root,
      workers: [
        ...workers.map(({ name, config }) => ({
          configPath: config,
          vars: { ...variablesOfTests[name], ...variables[name] },
          secrets: secretsByWorker[name] ?? {},
        })),
        { configPath: pagesConfig },
      ],
    });
  }

  /** Base URL of the API, with a slash at the end. */
  get url(): string {
    return this.#url;
  }

  /** Starts the workers, migrates the databases and seeds the cities. */
  async start(): Promise<void> {
    process.env.CLOUDFLARE_CF_FETCH_ENABLED = "false";
    const { url } = await this.#server.listen();
    this.#url = url.href;
    for (const { name, database } of workers)
      if (database !== null) await this.#server.getWorker(`vicinity-${name}`).applyD1Migrations("DB");
    const { DB: gatewayDatabase } = await this.#server.getWorker("vicinity-gateway").getEnv();
    await gatewayDatabase
      .prepare("INSERT INTO development_markers VALUES (?)")
      .bind(stackSecrets.gateway.DEVELOPMENT_KEYS)
      .run();
    const { DB } = await this.#server.getWorker("vicinity-location").getEnv();
    for (const statement of citySeedStatements().slice(0, citySeedStatementCount))
      await DB.prepare(statement).run();
  }

  /** Returns a binding of a worker, so that a test reads or changes state without the API. */
  async binding(worker: string, name: string) {
    const environment = await this.#server.getWorker(`vicinity-${worker}`).getEnv();
    return environment[name];
  }

  /** Returns every row of every table of the Durable Objects of a binding, by object id. */
  async durableObjectRows(worker: string, binding: string): Promise<Map<string, Record<string, unknown>[]>> {
    const handle = this.#server.getWorker(`vicinity-${worker}`);
    const rowsById = new Map<string, Record<string, unknown>[]>();
    for (const id of await handle.listDurableObjectIds(binding)) {
      const storage = await handle.getDurableObjectStorage(binding, { id });
      const tables = await storage.exec<{ name: string }>(listTablesSql);
      const rows: Record<string, unknown>[] = [];
      for (const { name } of tables) rows.push(...(await storage.exec(`SELECT * FROM ${name}`)));
      rowsById.set(id, rows);
    }
    return rowsById;
  }

  /** Returns every log line of the workers since the start, as JSON. */
  logLines(): string[] {
    return this.#server.getLogs().map((line) => JSON.stringify(line));
  }

  /** Calls an endpoint of the API. Does not follow redirects. */
  async call<T = Record<string, unknown>>(
    method: string,
    path: string,
    { key = "dev-admin-key", body, headers = {} }: ApiCallOptions = {},
  ): Promise<ApiResponse<T>> {
    const isRaw = typeof body === "string" || body instanceof Uint8Array;
    const response = await this.#server.fetch(path, {
      method,
      redirect: "manual",
      headers: {
        ...(key === "" ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined || isRaw ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      body: body === undefined ? undefined : isRaw ? body : JSON.stringify(body),
    });
    const text = await response.text();
    const json = response.headers.get("content-type")?.includes("json");
    return {
      status: response.status,
      headers: new Headers([...response.headers]),
      body: json ? JSON.parse(text) : text,
    };
  }

  /** Runs a cron trigger of the gateway, due at `scheduledTime`; the default is the one of every minute, due now. */
  async runCron(cron = "* * * * *", scheduledTime = new Date()): Promise<void> {
    await this.#server.getWorker("vicinity-gateway").scheduled({ cron, scheduledTime });
  }

  /** Stops the workers. */
  stop(): Promise<void> {
    return this.#server.close();
  }
}
