import * as z from "zod";
import { inlineParameters } from "../../databases/command-database.ts";
import { parseJson } from "../../wrangler.ts";

/**
 * What a release did to a worker: made it, made it with the objects of another worker, replaced it at once with other
 * classes, or shifted requests to a version of it.
 */
export const workerChange = z.enum(["created", "transferred", "replaced", "shifted"]);
export type WorkerChange = z.infer<typeof workerChange>;

const releaseStatus = z.enum(["running", "finished", "failed", "rolled back"]);

const releaseRow = z.object({
  id: z.number(),
  label: z.string(),
  status: releaseStatus,
  startedAt: z.number(),
  touchedAt: z.number(),
});

const changeRow = z.object({
  worker: z.string(),
  change: workerChange,
  before: z.string().nullable(),
  after: z.string(),
});

/** A release, as it is recorded. Times are in seconds since the Unix epoch. */
export type Release = z.infer<typeof releaseRow>;
/** What a release did to one worker: the version that had all requests before, and the one that has them after. */
export type RecordedChange = z.infer<typeof changeRow>;

const results = z.array(z.object({ results: z.array(z.unknown()) }));

const tables = [
  `CREATE TABLE IF NOT EXISTS releases (id INTEGER PRIMARY KEY, label TEXT NOT NULL, status TEXT NOT NULL,
     started_at INTEGER NOT NULL, touched_at INTEGER NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS release_workers (release INTEGER NOT NULL, worker TEXT NOT NULL, change TEXT NOT NULL,
     before TEXT, after TEXT NOT NULL, PRIMARY KEY (release, worker))`,
  "CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
];

/** Seconds without a sign of a deployment after which another one may take its place. */
export const staleAfterSeconds = 15 * 60;

/** Runs statements in one transaction, and returns what `wrangler d1 execute --json` prints. */
export type ExecuteSql = (sql: string) => Promise<string>;

/**
 * The record of an environment's deployments, in a D1 database of the account: so any machine can go on with a
 * deployment, or roll it back.
 */
export class DeploymentRecord {
  readonly #execute: ExecuteSql;
  readonly #now: () => number;

  /** `now` returns seconds since the Unix epoch. */
  constructor(execute: ExecuteSql, now: () => number) {
    this.#execute = execute;
    this.#now = () => Math.floor(now());
  }

  async #query(sql: string, ...parameters: unknown[]): Promise<unknown[]> {
    const output = results.parse(parseJson(await this.#execute(inlineParameters(sql, parameters))));
    return output.at(-1)?.results ?? [];
  }

  /** Creates the tables unless they exist. */
  async prepare(): Promise<void> {
    await this.#execute(tables.join(";\n"));
  }

  /** Returns whether the database has the tables of the record. */
  async isPrepared(): Promise<boolean> {
    return (await this.#query("SELECT name FROM sqlite_master WHERE name = 'facts'")).length > 0;
  }

  /** Returns all recorded facts, by name. */
  async facts(): Promise<Map<string, string>> {
    const rows = z
      .array(z.object({ name: z.string(), value: z.string() }))
      .parse(await this.#query("SELECT name, value FROM facts"));
    return new Map(rows.map(({ name, value }) => [name, value]));
  }

  /** Records a fact of the environment, for example the hash of the cities that its database has. */
  async setFact(name: string, value: string): Promise<void> {
    await this.#query(
      "INSERT INTO facts VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
      name,
      value,
    );
  }

  /** Returns the releases, newest first. */
  async releases(): Promise<Release[]> {
    return z
      .array(releaseRow)
      .parse(
        await this.#query(
          "SELECT id, label, status, started_at AS startedAt, touched_at AS touchedAt FROM releases ORDER BY id DESC LIMIT 20",
        ),
      );
  }

  /**
   * Begins a release, or goes on with the newest one if it did not finish: what it changed keeps its version of before.
   * Throws while another deployment runs. Returns the release.
   */
  async begin(label: string): Promise<Release> {
    const now = this.#now();
    const [newest] = await this.releases();
    if (newest?.status === "running" && newest.touchedAt > now - staleAfterSeconds)
      throw new Error(
        `Another deployment (${newest.label}) runs; its last step was ${now - newest.touchedAt} s ago. If it was interrupted, wait ${Math.ceil((newest.touchedAt + staleAfterSeconds - now) / 60)} minutes or give --take-over.`,
      );
    const goesOn = newest !== undefined && (newest.status === "running" || newest.status === "failed");
    const id = goesOn ? newest.id : (newest?.id ?? 0) + 1;
    await this.#query(
      `INSERT INTO releases VALUES (?, ?, 'running', ?, ?)
       ON CONFLICT DO UPDATE SET label = excluded.label, status = 'running', touched_at = excluded.touched_at`,
      id,
      label,
      now,
      now,
    );
    return { id, label, status: "running", startedAt: goesOn ? newest.startedAt : now, touchedAt: now };
  }

  /** Lets another deployment go on at once with a release that was interrupted. */
  async takeOver(): Promise<void> {
    await this.#query("UPDATE releases SET status = 'failed' WHERE status = 'running'");
  }

  /**
   * Records what a release does to a worker, and that the deployment runs. The version of before stays that of the first
   * record: the one that worked before the release.
   */
  async change(release: Release, { worker, change, before, after }: RecordedChange): Promise<void> {
    await this.#execute(
      [
        inlineParameters(
          `INSERT INTO release_workers VALUES (?, ?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET after = excluded.after,
             change = CASE WHEN change = 'shifted' THEN excluded.change ELSE change END`,
          [release.id, worker, change, before, after],
        ),
        inlineParameters("UPDATE releases SET touched_at = ? WHERE id = ?", [this.#now(), release.id]),
      ].join(";\n"),
    );
  }

  /** Returns what a release did, by worker. */
  async changes(release: Release): Promise<RecordedChange[]> {
    return z
      .array(changeRow)
      .parse(
        await this.#query(
          "SELECT worker, change, before, after FROM release_workers WHERE release = ? ORDER BY worker",
          release.id,
        ),
      );
  }

  /** Records that a deployment runs, so that no other begins. */
  async touch(release: Release): Promise<void> {
    await this.#query("UPDATE releases SET touched_at = ? WHERE id = ?", this.#now(), release.id);
  }

  async end(release: Release, status: Exclude<Release["status"], "running">): Promise<void> {
    await this.#query(
      "UPDATE releases SET status = ?, touched_at = ? WHERE id = ?",
      status,
      this.#now(),
      release.id,
    );
  }
}
