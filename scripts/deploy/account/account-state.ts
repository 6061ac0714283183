import { join } from "node:path";
import * as z from "zod";
import { mapConcurrent } from "../../../shared/async/map-concurrent.ts";
import { parseJson } from "../../wrangler.ts";
import type { Environment } from "../configuration/environment.ts";
import type { Account, StoredWhere, WorkerState } from "./account.ts";
import { DeploymentRecord, type ExecuteSql, type Release } from "./deployment-record.ts";
import { type ConfiguredWorker, type Resources, recordDatabase } from "./resources.ts";

/** Commands of wrangler that run at once: each takes a second, most of which it waits. */
const concurrentCommands = 4;

/** What an account has of an environment. */
export interface AccountState {
  databases: ReadonlyMap<string, string>;
  namespaces: ReadonlyMap<string, string>;
  buckets: ReadonlySet<string>;
  queues: ReadonlySet<string>;
  /** Workers by full name; null for one that does not exist. */
  workers: ReadonlyMap<string, WorkerState | null>;
  /** Names of secrets by the full name of the worker. */
  secrets: ReadonlyMap<string, readonly string[]>;
  /** Files of migrations that were applied, by database. */
  applied: ReadonlyMap<string, readonly string[]>;
  /** Facts of the record of deployments, by name. */
  facts: ReadonlyMap<string, string>;
  /** Releases, newest first. */
  releases: readonly Release[];
}

/** The state of an account that has nothing of an environment. */
export const emptyState: AccountState = {
  databases: new Map(),
  namespaces: new Map(),
  buckets: new Set(),
  queues: new Set(),
  workers: new Map(),
  secrets: new Map(),
  applied: new Map(),
  facts: new Map(),
  releases: [],
};

/** Returns what runs statements on a database of the account, which the account must have by this name. */
export const executeOn =
  (account: Account, database: string): ExecuteSql =>
  (sql) =>
    // The empty configuration keeps wrangler from taking the name for a database of the gateway's wrangler.toml.
    account.runOrThrow([
      ...["d1", "execute", database, "--remote", "--json", "--yes"],
      ...["-c", join(import.meta.dirname, "no-worker.json"), "--command", sql],
    ]);

const names = z.array(z.object({ results: z.array(z.object({ name: z.string() })) }));

/** Returns the migrations that were applied to a database; none, if it never had one. */
async function appliedMigrations(execute: ExecuteSql): Promise<string[]> {
  const listed = async (sql: string) =>
    names.parse(parseJson(await execute(sql)))[0]?.results.map(({ name }) => name) ?? [];
  const [table] = await listed("SELECT name FROM sqlite_master WHERE name = 'd1_migrations'");
  return table === undefined ? [] : listed("SELECT name FROM d1_migrations ORDER BY id");
}

/** Returns the record of an environment's deployments. */
export const recordOf = (account: Account, environment: Environment, now: () => number): DeploymentRecord =>
  new DeploymentRecord(executeOn(account, recordDatabase + environment.suffix), now);

/** Returns where databases and buckets of an environment are stored. */
export const storedWhere = ({ jurisdiction, location }: Environment): StoredWhere => ({
  jurisdiction,
  location,
});

/** Reads what an account has of an environment. Changes nothing. `onProgress` gets the number of questions asked. */
export async function readAccountState(
  account: Account,
  environment: Environment,
  workers: readonly ConfiguredWorker[],
  resources: Resources,
  onProgress: (done: number, total: number) => void = () => undefined,
): Promise<AccountState> {
  const databases = await account.databases();
  const state = {
    databases,
    namespaces: await account.namespaces(),
    buckets: new Set<string>(),
    queues: new Set<string>(),
    workers: new Map<string, WorkerState | null>(),
    secrets: new Map<string, string[]>(),
    applied: new Map<string, string[]>(),
    facts: new Map<string, string>(),
    releases: [] as Release[],
  };
  const where = storedWhere(environment);
  const questions: (() => Promise<unknown>)[] = [
    ...resources.buckets.map((name) => async () => {
      if (await account.hasBucket(name, where)) state.buckets.add(name);
    }),
    ...resources.queues.map((name) => async () => {
      if (await account.hasQueue(name)) state.queues.add(name);
    }),
    ...workers.map(({ configuration }) => async () => {
      const name = configuration.name;
      const worker = await account.worker(name);
      state.workers.set(name, worker);
      if (worker !== null) state.secrets.set(name, await account.secretNames(name));
    }),
    ...resources.databases
      .filter(({ name, migrations }) => migrations !== null && databases.has(name))
      .map(({ name }) => async () => {
        state.applied.set(name, await appliedMigrations(executeOn(account, name)));
      }),
  ];
  if (databases.has(recordDatabase + environment.suffix))
    questions.push(async () => {
      const record = recordOf(account, environment, () => 0);
      if (!(await record.isPrepared())) return;
      state.facts = await record.facts();
      state.releases = await record.releases();
    });
  let done = 0;
  await mapConcurrent(concurrentCommands, questions, async (ask) => {
    await ask();
    onProgress(++done, questions.length);
  });
  return state;
}
