import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApplicationKeys } from "../applications/application-keys.ts";
import { gatewayDatabaseOf } from "../applications/gateway-database.ts";
import { citySeed, replaceCities } from "../databases/cities.ts";
import { type Account, PendingMigrationError } from "./account/account.ts";
import { executeOn, recordOf, storedWhere } from "./account/account-state.ts";
import type { DeploymentRecord, RecordedChange, Release } from "./account/deployment-record.ts";
import { recordDatabase } from "./account/resources.ts";
import { configuredWorkers } from "./configuration/configured-workers.ts";
import type { Environment } from "./configuration/environment.ts";
import { writeConfiguration } from "./configuration/worker-configuration.ts";
import { type Creation, facts, type WorkerPlan } from "./plan/plan.ts";
import { stepsText } from "./plan/plan-lines.ts";
import type { BeginTask, PreparedPlan, Task } from "./prepare-plan.ts";
import { shiftWorker, versionBefore } from "./rollout/shift-worker.ts";
import { requestsToReach, type SmokeParts, smokeApplication, smokeTest } from "./rollout/smoke-test.ts";

/** What a deployment needs from outside. */
export interface DeploymentParts {
  account: Account;
  begin: BeginTask;
  /** Returns seconds since the Unix epoch. */
  now: () => number;
  smoke: SmokeParts;
  /** What the versions are called: the release and its commit, at most 80 characters. */
  label: string;
  /** Whether a release that another deployment left running is taken over at once. */
  takeOver: boolean;
}

/** Seconds after which a new version is everywhere. */
const propagationSeconds = 5;

/** Creates a resource and returns its id; the name, for a resource without one. */
async function create(account: Account, { kind, name }: Creation, environment: Environment): Promise<string> {
  const where = storedWhere(environment);
  if (kind === "D1 database") return account.createDatabase(name, where);
  if (kind === "KV namespace") return account.createNamespace(name);
  await (kind === "R2 bucket" ? account.createBucket(name, where) : account.createQueue(name, where));
  return name;
}

/** A deployment of an environment that runs. */
class Deployment {
  readonly #prepared: PreparedPlan;
  readonly #parts: DeploymentParts;
  readonly #secrets: ReadonlyMap<string, string>;
  readonly #record: DeploymentRecord;
  readonly #files = new Map<string, string>();
  #url: string | null;
  #key: string | null = null;

  constructor(prepared: PreparedPlan, parts: DeploymentParts, secrets: ReadonlyMap<string, string>) {
    this.#prepared = prepared;
    this.#parts = parts;
    this.#secrets = secrets;
    const { environment, state } = prepared;
    this.#record = recordOf(parts.account, environment, parts.now);
    this.#url = environment.gateway.url ?? state.facts.get(facts.url) ?? null;
  }

  get #applicationKeys(): ApplicationKeys {
    const { account, now } = this.#parts;
    return new ApplicationKeys(gatewayDatabaseOf(account, this.#prepared.environment), now);
  }

  /** Runs the plan. Returns the address of the gateway; null if it has none that is known. */
  async run(): Promise<string | null> {
    const { environment, plan } = this.#prepared;
    const { label, takeOver } = this.#parts;
    await this.#createResources();
    await this.#record.prepare();
    if (takeOver) await this.#record.takeOver();
    const release = await this.#record.begin(label);
    try {
      await this.#record.setFact(facts.jurisdiction, environment.jurisdiction ?? "none");
      await this.#migrate();
      await this.#seedCities(release);
      for (const worker of plan.workers) await this.#deployWorker(release, worker);
      await this.#finalTest();
      await this.#revokeKey();
      await this.#record.end(release, "finished");
    } catch (error) {
      // What stopped the deployment is the error to show, also if the account answers nothing any more.
      await Promise.allSettled([this.#record.end(release, "failed"), this.#revokeKey()]);
      throw error;
    }
    return this.#url;
  }

  /** Creates what is missing, and writes the configurations with the ids of everything. */
  async #createResources(): Promise<void> {
    const { environment, plan, state } = this.#prepared;
    const { account, begin } = this.#parts;
    const databases = new Map(state.databases);
    const namespaces = new Map(state.namespaces);
    // The record of deployments comes first, so that what follows is recorded.
    const creations = [...plan.creations].sort(
      (a, b) => Number(b.name.startsWith(recordDatabase)) - Number(a.name.startsWith(recordDatabase)),
    );
    for (const creation of creations) {
      const task = begin(`Create ${creation.kind} ${creation.name}`);
      const id = await create(account, creation, environment);
      if (creation.kind === "D1 database") databases.set(creation.name, id);
      if (creation.kind === "KV namespace") namespaces.set(creation.name, id);
      task.done();
    }
    const transfers = new Map(plan.workers.map((each) => [each.worker.name, each.transfers]));
    for (const worker of configuredWorkers(
      environment,
      { databases, namespaces },
      (name) => transfers.get(name) ?? [],
    ))
      this.#files.set(worker.name, writeConfiguration(worker, environment, worker.configuration));
  }

  #fileOf(worker: string): string {
    return this.#files.get(worker) as string;
  }

  async #migrate(): Promise<void> {
    const { account, begin } = this.#parts;
    for (const { database, files } of this.#prepared.plan.migrations) {
      const task = begin(`Migrate ${database.name}`);
      await account.runOrThrow([
        ...["d1", "migrations", "apply", database.name, "--remote"],
        ...["-c", this.#fileOf(database.worker)],
      ]);
      task.done(files.length === 1 ? "1 migration" : `${files.length} migrations`);
    }
  }

  async #seedCities(release: Release): Promise<void> {
    const { plan, environment } = this.#prepared;
    if (plan.cities === null) return;
    const task = this.#parts.begin("Replace the gazetteer");
    const seed = citySeed();
    let reported = 0;
    await replaceCities(
      executeOn(this.#parts.account, `vicinity-location${environment.suffix}`),
      seed,
      (rows) => {
        reported = rows;
        task.update(`${rows.toLocaleString("en")} of ${seed.values.length.toLocaleString("en")} cities`);
      },
    );
    await this.#record.setFact(facts.cities, seed.hash);
    await this.#record.touch(release);
    task.done(`${reported.toLocaleString("en")} cities`);
  }

  /** Runs `use` with a file of the secrets that a worker lacks, which only this user may read; null if it lacks none. */
  async #withSecretsFile<T>(worker: string, use: (file: string | null) => Promise<T>): Promise<T> {
    const names = this.#prepared.plan.secrets
      .filter(({ workers }) => workers.includes(worker))
      .map(({ name }) => name);
    if (names.length === 0) return use(null);
    const folder = mkdtempSync(join(tmpdir(), "vicinity-secrets-"));
    try {
      const file = join(folder, "secrets.json");
      const values = Object.fromEntries(names.map((name) => [name, this.#secrets.get(name)]));
      writeFileSync(file, JSON.stringify(values), { mode: 0o600 });
      return await use(file);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  async #deployWorker(release: Release, plan: WorkerPlan): Promise<void> {
    const { worker, bundle, kind, triggers } = plan;
    const { account, begin } = this.#parts;
    const file = this.#fileOf(worker.name);
    const task = begin(`Deploy ${worker.name}`);
    if (kind === "keep" && !triggers) return task.done("unchanged");
    let targets: string[] = [];
    if (kind === "create") targets = await this.#deployAtOnce(release, plan, kind);
    if (kind === "replace") targets = await this.#replace(release, plan);
    if (kind === "shift")
      await this.#shift(release, plan, task).catch(async (error: unknown) => {
        if (!(error instanceof PendingMigrationError)) throw error;
        targets = await this.#replace(release, plan);
      });
    if (kind === "keep" || kind === "shift") targets = await account.deployTriggers(file);
    await this.#record.setFact(facts.triggers(worker.name), bundle.tag);
    if (worker.name === "gateway") await this.#learnUrl(targets);
    task.done(
      kind === "create"
        ? "first version"
        : kind === "shift"
          ? stepsText(plan.steps)
          : kind === "replace"
            ? "replaced"
            : "routes, crons and queues",
    );
  }

  /** Deploys a worker with all of its requests at once, and records it. Returns the addresses where it answers. */
  async #deployAtOnce(release: Release, plan: WorkerPlan, kind: "create" | "replace"): Promise<string[]> {
    const { worker, bundle, current, transfers } = plan;
    const { account, label } = this.#parts;
    for (const { from } of transfers) await this.#record.setFact(facts.losesObjects(from), "yes");
    const { versionId, targets } = await this.#withSecretsFile(worker.name, (secretsFile) =>
      account.deploy(this.#fileOf(worker.name), { tag: bundle.tag, message: label, secretsFile }),
    );
    const change = kind === "replace" ? "replaced" : transfers.length > 0 ? "transferred" : "created";
    await this.#recordChange(release, {
      worker: worker.name,
      change,
      before: versionBefore(current, null),
      after: versionId,
    });
    const tag = worker.configuration.migrations?.at(-1)?.tag;
    if (tag !== undefined) await this.#record.setFact(facts.migrationTag(worker.name), tag);
    if (kind === "replace") await this.#record.setFact(facts.losesObjects(worker.name), "no");
    return targets;
  }

  /** Deploys a worker that answers requests already, with all of its requests at once, and tests it. */
  async #replace(release: Release, plan: WorkerPlan): Promise<string[]> {
    const targets = await this.#deployAtOnce(release, plan, "replace");
    await this.#parts.smoke.sleep(1000 * propagationSeconds);
    await this.#test(100, null);
    return targets;
  }

  /** Uploads a version unless an earlier run did, and moves requests to it step by step. */
  async #shift(release: Release, plan: WorkerPlan, task: Task): Promise<void> {
    const { worker, bundle, current, steps, uploaded } = plan;
    const { account, label } = this.#parts;
    const config = this.#fileOf(worker.name);
    const to =
      uploaded ??
      (await this.#withSecretsFile(worker.name, (secretsFile) =>
        account.upload(config, { tag: bundle.tag, message: label, secretsFile }),
      ));
    const before = await this.#versionBefore(release, plan, to);
    await this.#recordChange(release, { worker: worker.name, change: "shifted", before, after: to });
    await shiftWorker(account, { config, from: before, to, steps, message: label }, async (percentage) => {
      const seconds =
        percentage === 100 ? propagationSeconds : this.#prepared.environment.rollout.pause_seconds;
      task.update(`${percentage}% of requests, for ${seconds} s`);
      await this.#record.touch(release);
      await this.#parts.smoke.sleep(1000 * seconds);
      await this.#test(percentage, worker.name === "gateway" ? to : null);
    });
    if (current.length === 0) task.update("100% of requests");
  }

  /** Returns the version that worked before the release, also if an earlier run of it was interrupted. */
  async #versionBefore(
    release: Release,
    { worker, current }: WorkerPlan,
    next: string,
  ): Promise<string | null> {
    const recorded = (await this.#record.changes(release)).find((each) => each.worker === worker.name);
    const serving = new Set(current.map(({ versionId }) => versionId));
    return recorded?.before && serving.has(recorded.before) ? recorded.before : versionBefore(current, next);
  }

  #recordChange(release: Release, change: RecordedChange): Promise<void> {
    return this.#record.change(release, change);
  }

  /** Keeps the address that wrangler printed, unless the environment names one. */
  async #learnUrl(targets: readonly string[]): Promise<void> {
    const address = targets.find((each) => each.startsWith("https://"));
    if (this.#prepared.environment.gateway.url !== undefined || address === undefined) return;
    this.#url = address;
    await this.#record.setFact(facts.url, address);
  }

  /** Tests the deployment as it is, if the address of the gateway is known. */
  async #test(percentage: number, gatewayVersion: string | null): Promise<string | null> {
    if (this.#url === null) return null;
    const { environment } = this.#prepared;
    this.#key ??= await this.#createKey();
    return smokeTest(
      {
        url: this.#url,
        key: this.#key,
        gatewayVersion:
          gatewayVersion === null
            ? null
            : { worker: `vicinity-gateway${environment.suffix}`, versionId: gatewayVersion },
        // Every request reaches the version of the gateway that is asked for, but other workers by their share only.
        requests: requestsToReach(gatewayVersion === null ? percentage : 100),
      },
      this.#parts.smoke,
    );
  }

  async #finalTest(): Promise<void> {
    const task = this.#parts.begin("Smoke test");
    task.done((await this.#test(100, null)) ?? "left out: set gateway.url in the environment");
  }

  async #createKey(): Promise<string> {
    const { key } = await this.#applicationKeys.create(smokeApplication, {
      role: "server",
      scopes: [],
      name: "smoke test",
    });
    return key;
  }

  /** Revokes the key of the smoke test, and those that interrupted deployments left. */
  async #revokeKey(): Promise<void> {
    if (this.#key === null) return;
    const keys = this.#applicationKeys;
    for (const { id, revokedAt } of await keys.list(smokeApplication))
      if (revokedAt === null) await keys.revoke(smokeApplication, id);
  }
}

/** Runs a plan. Returns the address of the gateway; null if it has none that is known. May be repeated at any time. */
export const runPlan = (
  prepared: PreparedPlan,
  parts: DeploymentParts,
  secrets: ReadonlyMap<string, string>,
): Promise<string | null> => new Deployment(prepared, parts, secrets).run();
