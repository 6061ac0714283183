import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { secretNumber } from "../../token-secret/secret-store.ts";
import { root } from "../../workers.ts";
import type { VersionShare } from "../account/account.ts";
import type { AccountState } from "../account/account-state.ts";
import type { ConfiguredWorker, DatabaseResource, Resources } from "../account/resources.ts";
import type { Environment } from "../configuration/environment.ts";
import { type ClassTransfer, classTransfers } from "../configuration/worker-list.ts";
import type { Bundle } from "./bundle.ts";

/** A resource that the account lacks. */
export interface Creation {
  kind: "D1 database" | "KV namespace" | "R2 bucket" | "queue";
  name: string;
}

/** Migrations that a database lacks. */
export interface DatabaseMigration {
  database: DatabaseResource & { worker: string };
  files: string[];
}

/** A secret that workers lack. */
export interface MissingSecret {
  name: string;
  /** Short names of the workers that lack it. */
  workers: string[];
  /** Short name of a worker that has it already, whose value the others need too; null if none has it. */
  sameAs: string | null;
}

/** What a deployment does to one worker. */
export interface WorkerPlan {
  worker: ConfiguredWorker;
  bundle: Bundle;
  /**
   * `create`: the account has no such worker. `replace`: classes of Durable Objects change, or move to another worker,
   * which versions cannot do side by side. `shift`: requests move to the new version by steps. `keep`: this very version has all requests.
   */
  kind: "create" | "replace" | "shift" | "keep";
  /** Classes whose objects the worker takes over from other workers. */
  transfers: readonly ClassTransfer[];
  /** Versions that get requests now. */
  current: readonly VersionShare[];
  /** Id of the new version, if an earlier run uploaded it; null otherwise. */
  uploaded: string | null;
  /** Percentages that the new version gets, one after another; only for `shift`. */
  steps: readonly number[];
  /** Whether routes, crons, consumers and Workflows must be applied, which versions do not have. */
  triggers: boolean;
}

/** What a deployment does, in this order. */
export interface Plan {
  creations: Creation[];
  migrations: DatabaseMigration[];
  /** Rows of the gazetteer that are written; null if the database has them already. */
  cities: { rows: number; hash: string } | null;
  secrets: MissingSecret[];
  workers: WorkerPlan[];
  /** Whether requests may fail until all workers are deployed, since the account has workers of version 0.2. */
  interrupts: boolean;
}

/** What a plan is made from. */
export interface PlanInput {
  environment: Environment;
  /** In the order of deployment. */
  workers: readonly ConfiguredWorker[];
  resources: Resources;
  state: AccountState;
  bundles: ReadonlyMap<string, Bundle>;
  cities: { rows: number; hash: string };
  /** Names of secrets that are replaced in all workers. */
  replacedSecrets: readonly string[];
}

/** Names of the facts that a deployment records. */
export const facts = {
  cities: "cities",
  jurisdiction: "jurisdiction",
  url: "url",
  /** `yes` from when another worker takes over objects of this one, until this one has a version without their classes. */
  losesObjects: (worker: string) => `${worker} loses objects`,
  migrationTag: (worker: string) => `migration tag of ${worker}`,
  triggers: (worker: string) => `triggers of ${worker}`,
} as const;

const absent = (
  kind: Creation["kind"],
  names: readonly string[],
  has: (name: string) => boolean,
): Creation[] => names.filter((name) => !has(name)).map((name) => ({ kind, name }));

/** Returns the SQL files of a folder of migrations, in their order. */
const migrationFiles = (folder: string): string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith(".sql"))
    .sort();

/** Returns the folder of a database's migrations. */
export function migrationsFolder(
  { migrations, worker }: DatabaseResource,
  workers: readonly ConfiguredWorker[],
): string {
  const owner = workers.find(({ name }) => name === worker);
  return join(root, dirname(owner?.config ?? ""), migrations ?? "");
}

const hasNumberedSecret = (names: readonly string[]): boolean =>
  names.some((name) => secretNumber(name) !== null);

/** Returns the names of the secrets that a worker needs and lacks. */
function lackedSecrets(
  { name, raw }: ConfiguredWorker,
  present: readonly string[],
  replaced: readonly string[],
): string[] {
  const required = (raw.secrets?.required ?? []).filter(
    (each) => !present.includes(each) || replaced.includes(each),
  );
  // The gateway signs tokens by TOKEN_SECRET or, after a rotation, by one with a number.
  return name === "gateway" && !hasNumberedSecret(present) ? [...required, "TOKEN_SECRET"] : required;
}

/**
 * Returns whether nothing was ever answered, since the gateway is deployed last. Then no stored data depends on a secret, so
 * that a first deployment which was interrupted may make it anew.
 */
const servedNothing = ({ environment, state }: PlanInput): boolean =>
  !state.workers.get(`vicinity-gateway${environment.suffix}`);

function missingSecrets(input: PlanInput): MissingSecret[] {
  const { workers, state } = input;
  const secretsOf = ({ configuration }: ConfiguredWorker) => state.secrets.get(configuration.name) ?? [];
  const lackedBy = (replaced: readonly string[]) =>
    workers.flatMap((worker) =>
      lackedSecrets(worker, secretsOf(worker), replaced).map((name) => ({ worker, name })),
    );
  const replaced = [
    ...input.replacedSecrets,
    ...(servedNothing(input) ? lackedBy([]).map(({ name }) => name) : []),
  ];
  const missing = new Map<string, MissingSecret>();
  for (const { worker, name } of lackedBy(replaced)) {
    const owner = workers.find((other) => secretsOf(other).includes(name));
    const found = missing.get(name) ?? {
      name,
      workers: [],
      sameAs: owner && !replaced.includes(name) ? owner.name : null,
    };
    found.workers.push(worker.name);
    missing.set(name, found);
  }
  return [...missing.values()];
}

/**
 * Returns the classes that a new worker takes over: those of a worker that exists in the account. In an empty account
 * there is nothing to take over.
 */
export const transfersTo = (worker: string, suffix: string, state: AccountState): ClassTransfer[] =>
  classTransfers.filter(
    ({ to, from }) =>
      to === worker &&
      !state.workers.get(`vicinity-${to}${suffix}`) &&
      Boolean(state.workers.get(`vicinity-${from}${suffix}`)),
  );

/**
 * Returns whether the workers of the account understand those of this release: if this command deployed them. What was
 * deployed by version 0.2 does not.
 */
export const isCompatible = ({ state }: Pick<PlanInput, "state">): boolean =>
  state.releases.some(({ status }) => status === "finished" || status === "rolled back");

function kindOf(exists: boolean, changesClasses: boolean, isCurrent: boolean): WorkerPlan["kind"] {
  if (!exists) return "create";
  if (changesClasses) return "replace";
  return isCurrent ? "keep" : "shift";
}

function planWorker(
  worker: ConfiguredWorker,
  input: PlanInput,
  secrets: readonly MissingSecret[],
): WorkerPlan {
  const { environment, state, bundles } = input;
  const { name, configuration } = worker;
  const bundle = bundles.get(name) as Bundle;
  const current = state.workers.get(configuration.name);
  const deployed = current?.deployed ?? [];
  const tagOfMigration = configuration.migrations?.at(-1)?.tag;
  const recordedTag = state.facts.get(facts.migrationTag(name)) ?? tagOfMigration;
  const uploaded = current?.versions.findLast(({ tag }) => tag === bundle.tag)?.versionId ?? null;
  const lacksSecret = secrets.some(({ workers }) => workers.includes(name));
  const isServing = deployed.length === 1 && deployed[0].versionId === uploaded;
  const losesObjects =
    state.facts.get(facts.losesObjects(name)) === "yes" ||
    classTransfers.some(
      ({ from, to }) => from === name && transfersTo(to, environment.suffix, state).length > 0,
    );
  const kind = kindOf(
    current != null,
    losesObjects || recordedTag !== tagOfMigration,
    isServing && !lacksSecret,
  );
  const reached = deployed.find(({ versionId }) => versionId === uploaded)?.percentage ?? 0;
  // Two versions of the pages would serve pages whose files the other one lacks.
  const steps = name === "pages" || !isCompatible(input) ? [100] : environment.rollout.steps;
  return {
    worker,
    bundle,
    kind,
    transfers: current == null ? transfersTo(name, environment.suffix, state) : [],
    current: deployed,
    uploaded: lacksSecret ? null : uploaded,
    steps: kind === "shift" ? steps.filter((step) => step > reached || lacksSecret) : [],
    triggers: state.facts.get(facts.triggers(name)) !== bundle.tag,
  };
}

/** Throws if data would have to move to another jurisdiction, which Cloudflare cannot do. */
function checkJurisdiction({ environment, state }: PlanInput): void {
  const exists = [...state.workers.values()].some((worker) => worker !== null);
  const recorded = state.facts.get(facts.jurisdiction) ?? (exists ? "none" : undefined);
  const wanted = environment.jurisdiction ?? "none";
  if (recorded !== undefined && recorded !== wanted)
    throw new Error(
      `${environment.name} was deployed with the jurisdiction "${recorded}", and environments/${environment.name}.toml says "${wanted}". Stored data cannot move: deploy another environment and import into it.`,
    );
}

/** Returns what a deployment of an environment does to an account in a state. */
export function makePlan(input: PlanInput): Plan {
  checkJurisdiction(input);
  const { workers, resources, state } = input;
  const secrets = missingSecrets(input);
  return {
    creations: [
      ...absent(
        "D1 database",
        resources.databases.map(({ name }) => name),
        (name) => state.databases.has(name),
      ),
      ...absent("KV namespace", resources.namespaces, (name) => state.namespaces.has(name)),
      ...absent("R2 bucket", resources.buckets, (name) => state.buckets.has(name)),
      ...absent("queue", resources.queues, (name) => state.queues.has(name)),
    ],
    migrations: resources.databases.flatMap((database) => {
      if (database.migrations === null || database.worker === null) return [];
      const applied = state.applied.get(database.name) ?? [];
      const files = migrationFiles(migrationsFolder(database, workers)).filter(
        (file) => !applied.includes(file),
      );
      return files.length === 0 ? [] : [{ database: { ...database, worker: database.worker }, files }];
    }),
    cities: state.facts.get(facts.cities) === input.cities.hash ? null : input.cities,
    secrets,
    workers: workers.map((worker) => planWorker(worker, input, secrets)),
    interrupts: !servedNothing(input) && !isCompatible(input),
  };
}
