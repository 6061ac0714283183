import { join } from "node:path";
import { createTestHarness } from "wrangler";
import { citySeedStatements } from "../scripts/databases/cities.ts";
import { pagesConfig, workers } from "../scripts/workers.ts";

const root = join(import.meta.dirname, "..");

/** Statements that are enough for the large cities: the seed is ordered by population. */
const citySeedStatementCount = 5;

/** Names of the tables of a database that are not the platform's. */
export const listTablesSql =
  "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\' AND name <> 'd1_migrations'";

/** What a call may have beside its method and path. */
export interface ApiCallOptions {
  key?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

/** An answer, read. */
export interface ApiResponse<T> {
  status: number;
  headers: Headers;
  body: T;
}

/** All workers from their own configurations, with empty migrated stores and the large cities. */
export class TestStack {
  readonly #server: ReturnType<typeof createTestHarness>;
  #url = "";

  /** `variables` of workers, by their names, instead of those of their configurations. */
  constructor(variables: Readonly<Record<string, Record<string, string>>> = {}) {
    this.#server = createTestHarness({
      root,
      workers: [
        ...workers.map(({ name, config }) => ({
          configPath: config,
          vars: { ...(name === "gateway" ? { DEVELOPMENT_KEYS: "on" } : {}), ...variables[name] },
          ...(name === "gateway"
            ? { secrets: { TOKEN_SECRET: "a-secret-of-the-tests-0123456789abcdef" } }
            : {}),
        })),
        { configPath: pagesConfig },
      ],
    });
  }

  /** Where it is served. */
  get url(): string {
    return this.#url;
  }

  async start(): Promise<void> {
    process.env.CLOUDFLARE_CF_FETCH_ENABLED = "false";
    const { url } = await this.#server.listen();
    this.#url = url.href;
    for (const { name, database } of workers)
      if (database !== null) await this.#server.getWorker(`vicinity-${name}`).applyD1Migrations("DB");
    const { DB } = await this.#server.getWorker("vicinity-location").getEnv();
    for (const statement of citySeedStatements().slice(0, citySeedStatementCount))
      await DB.prepare(statement).run();
  }

  /** A binding of a worker, to look behind the door with. */
  async binding(worker: string, name: string) {
    const environment = await this.#server.getWorker(`vicinity-${worker}`).getEnv();
    return environment[name];
  }

  /** Every row of every table of the Durable Objects of a worker's binding, by the object's id. */
  async durableObjectRows(worker: string, binding: string): Promise<Map<string, Record<string, unknown>[]>> {
    const handle = this.#server.getWorker(`vicinity-${worker}`);
    const found = new Map<string, Record<string, unknown>[]>();
    for (const id of await handle.listDurableObjectIds(binding)) {
      const storage = await handle.getDurableObjectStorage(binding, { id });
      const tables = await storage.exec<{ name: string }>(listTablesSql);
      const rows: Record<string, unknown>[] = [];
      for (const { name } of tables) rows.push(...(await storage.exec(`SELECT * FROM ${name}`)));
      found.set(id, rows);
    }
    return found;
  }

  /** All that workers wrote to their logs since the start. */
  logLines(): string[] {
    return this.#server.getLogs().map((line) => JSON.stringify(line));
  }

  /** Calls the API; a body that is no text and no bytes is sent as JSON. */
  async call<T = Record<string, unknown>>(
    method: string,
    path: string,
    { key = "dev-admin-key", body, headers = {} }: ApiCallOptions = {},
  ): Promise<ApiResponse<T>> {
    const raw = typeof body === "string" || body instanceof Uint8Array;
    const answer = await this.#server.fetch(path, {
      method,
      redirect: "manual",
      headers: {
        ...(key === "" ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined || raw ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      body: body === undefined ? undefined : raw ? body : JSON.stringify(body),
    });
    const text = await answer.text();
    const json = answer.headers.get("content-type")?.includes("json");
    return {
      status: answer.status,
      headers: new Headers([...answer.headers]),
      body: json ? JSON.parse(text) : text,
    };
  }

  /** A cron of the gateway, as the platform calls it: by default that of every minute. */
  async runCron(runCron = "* * * * *"): Promise<void> {
    await this.#server.getWorker("vicinity-gateway").scheduled({ cron: runCron });
  }

  stop(): Promise<void> {
    return this.#server.close();
  }
}
