import * as z from "zod";
import { type CommandResult, parseJson } from "../../wrangler.ts";

/** Runs wrangler until it ends. */
export type RunCommand = (args: string[], input?: string) => Promise<CommandResult>;

const databaseList = z.array(z.object({ uuid: z.string(), name: z.string() }));
const namespaceList = z.array(z.object({ id: z.string(), title: z.string() }));
const secretList = z.array(z.object({ name: z.string() }));
const traffic = z.object({ version_id: z.string(), percentage: z.number() });
const deployment = z.object({ versions: z.array(traffic) });
const annotations = z.object({ "workers/tag": z.string().optional() });
const versionList = z.array(
  z.object({
    id: z.string(),
    metadata: z.object({ created_on: z.string() }),
    annotations: annotations.nullish(),
  }),
);
const uploadEntry = z.object({ type: z.literal("version-upload"), version_id: z.string() });
const deployEntry = z.object({
  type: z.literal("deploy"),
  version_id: z.string(),
  targets: z.array(z.string()).nullish(),
});

/** Error codes of Cloudflare's API: a worker, or a bucket, that does not exist. */
const workerNotFound = /\[code: (10007|10090)\]/;
const bucketNotFound = /\[code: 10006\]/;
const queueNotFound = /Queue "[^"]*" does not exist/;
const pendingMigration = /pending Durable Object migration/;
/** What wrangler says if it has no credentials and may not ask for them. */
const notLoggedIn = /CLOUDFLARE_API_TOKEN|not authenticated|wrangler login/;

/** The share of requests that a version of a worker gets, in percent. */
export interface VersionShare {
  versionId: string;
  percentage: number;
}

/** A worker in the account. */
export interface WorkerState {
  /** Versions that get requests; usually one with 100%. */
  deployed: VersionShare[];
  /** The ten newest versions, oldest first, with the tag that their upload gave them. */
  versions: { versionId: string; tag: string | null }[];
}

/** A worker that was deployed as a whole: its version, and the addresses where it answers. */
export interface DeployedVersion {
  versionId: string;
  targets: string[];
}

/** How a database or bucket is created. */
export interface StoredWhere {
  jurisdiction?: string;
  location?: string;
}

/** What an upload needs besides the configuration. */
export interface UploadOptions {
  /** At most 25 characters. */
  tag: string;
  message: string;
  /** File with secrets as JSON, which are uploaded with the version; null for none. */
  secretsFile: string | null;
}

/** A version that cannot be uploaded beside others, because it changes classes of Durable Objects. */
export class PendingMigrationError extends Error {}
/** Wrangler has no credentials of an account. */
export class NotLoggedInError extends Error {}

const uploadArguments = (config: string, { tag, message, secretsFile }: UploadOptions): string[] => [
  ...["-c", config, "--tag", tag, "--message", message],
  ...(secretsFile === null ? [] : ["--secrets-file", secretsFile]),
];

/** A Cloudflare account, read and changed through wrangler's commands. */
export class Account {
  readonly #run: RunCommand;

  constructor(run: RunCommand) {
    this.#run = run;
  }

  /** Runs a wrangler command. Throws with the output if the command fails. */
  async #runOrThrow(args: string[], input?: string): Promise<CommandResult> {
    const result = await this.#run(args, input);
    if (result.code === 0) return result;
    const output = result.output.trim();
    if (notLoggedIn.test(output)) throw new NotLoggedInError(output);
    throw new Error(`wrangler ${args.slice(0, 3).join(" ")} failed:\n${output}`);
  }

  /** Runs a wrangler command and returns its output. Throws with the output if the command fails. */
  async runOrThrow(args: string[], input?: string): Promise<string> {
    return (await this.#runOrThrow(args, input)).output;
  }

  /** Returns the result of a command, or null if it fails with an output that matches `absent`. */
  async #runUnless(absent: RegExp, args: string[]): Promise<CommandResult | null> {
    const result = await this.#run(args);
    if (result.code !== 0 && absent.test(result.output)) return null;
    return result.code === 0 ? result : this.#runOrThrow(args);
  }

  /** Returns the ids of all D1 databases, by name. */
  async databases(): Promise<Map<string, string>> {
    const list = databaseList.parse(parseJson(await this.runOrThrow(["d1", "list", "--json"])));
    return new Map(list.map(({ name, uuid }) => [name, uuid]));
  }

  /** Returns the ids of all KV namespaces, by title. */
  async namespaces(): Promise<Map<string, string>> {
    const list = namespaceList.parse(parseJson(await this.runOrThrow(["kv", "namespace", "list"])));
    return new Map(list.map(({ title, id }) => [title, id]));
  }

  async hasBucket(name: string, { jurisdiction }: StoredWhere): Promise<boolean> {
    const where = jurisdiction === undefined ? [] : ["--jurisdiction", jurisdiction];
    return (
      (await this.#runUnless(bucketNotFound, ["r2", "bucket", "info", name, "--json", ...where])) !== null
    );
  }

  async hasQueue(name: string): Promise<boolean> {
    return (await this.#runUnless(queueNotFound, ["queues", "info", name])) !== null;
  }

  /** Creates a database and returns its id. */
  async createDatabase(name: string, where: StoredWhere): Promise<string> {
    await this.runOrThrow(["d1", "create", name, ...placeArguments(where)]);
    return this.#idOf(name, await this.databases());
  }

  /** Creates a KV namespace and returns its id. */
  async createNamespace(name: string): Promise<string> {
    await this.runOrThrow(["kv", "namespace", "create", name]);
    return this.#idOf(name, await this.namespaces());
  }

  #idOf(name: string, ids: ReadonlyMap<string, string>): string {
    const id = ids.get(name);
    if (id === undefined)
      throw new Error(
        `wrangler created "${name}" but does not list it. Wait a minute and run the command again.`,
      );
    return id;
  }

  async createBucket(name: string, where: StoredWhere): Promise<void> {
    await this.runOrThrow(["r2", "bucket", "create", name, ...placeArguments(where)]);
  }

  async createQueue(name: string, { jurisdiction }: StoredWhere): Promise<void> {
    await this.runOrThrow(["queues", "create", name, ...placeArguments({ jurisdiction })]);
  }

  /** Returns a worker by its full name; null if it does not exist. */
  async worker(name: string): Promise<WorkerState | null> {
    const status = await this.#runUnless(workerNotFound, ["deployments", "status", "--json", "--name", name]);
    if (status === null) return null;
    const { versions: deployed } = deployment.parse(parseJson(status.output));
    const versions = versionList.parse(
      parseJson(await this.runOrThrow(["versions", "list", "--json", "--name", name])),
    );
    return {
      deployed: deployed.map(({ version_id, percentage }) => ({ versionId: version_id, percentage })),
      versions: versions
        .sort((a, b) => a.metadata.created_on.localeCompare(b.metadata.created_on))
        .map((each) => ({ versionId: each.id, tag: each.annotations?.["workers/tag"] ?? null })),
    };
  }

  /**
   * Returns the names of a worker's secrets; none, if the worker does not exist yet. Throws if wrangler fails otherwise:
   * a secret that exists must not be taken for a missing one and be replaced.
   */
  async secretNames(worker: string): Promise<string[]> {
    const list = await this.#runUnless(/Worker "[^"]*".* not found/, ["secret", "list", "--name", worker]);
    return list === null ? [] : secretList.parse(parseJson(list.output)).map(({ name }) => name);
  }

  /** Sets a secret of a worker, which takes effect at once. */
  async putSecret(worker: string, name: string, value: string): Promise<void> {
    await this.runOrThrow(["secret", "put", name, "--name", worker], value);
  }

  /** Deletes a secret of a worker, which takes effect at once. */
  async deleteSecret(worker: string, name: string): Promise<void> {
    await this.runOrThrow(["secret", "delete", name, "--name", worker]);
  }

  /** Uploads a version, applies its migrations of Durable Objects, and gives it all requests at once. */
  async deploy(config: string, options: UploadOptions): Promise<DeployedVersion> {
    const { entries = [] } = await this.#runOrThrow(["deploy", ...uploadArguments(config, options)]);
    const entry = entries.map((each) => deployEntry.safeParse(each)).find(({ success }) => success)?.data;
    if (!entry) throw new Error("wrangler deploy did not report the version that it made.");
    return { versionId: entry.version_id, targets: entry.targets ?? [] };
  }

  /**
   * Uploads a version that gets no requests, and returns its id. Throws {@link PendingMigrationError} if the version
   * changes classes of Durable Objects.
   */
  async upload(config: string, options: UploadOptions): Promise<string> {
    const args = ["versions", "upload", ...uploadArguments(config, options)];
    const result = await this.#run(args);
    if (result.code !== 0 && pendingMigration.test(result.output))
      throw new PendingMigrationError(result.output.trim());
    const { entries = [] } = result.code === 0 ? result : await this.#runOrThrow(args);
    const entry = entries.map((each) => uploadEntry.safeParse(each)).find(({ success }) => success)?.data;
    if (!entry) throw new Error("wrangler versions upload did not report the version that it made.");
    return entry.version_id;
  }

  /**
   * Gives versions of a worker their shares of the requests. Cloudflare wants the same order in each deployment, so that
   * no object goes back to an older version.
   */
  async shift(config: string, shares: readonly VersionShare[], message: string): Promise<void> {
    await this.runOrThrow([
      ...["versions", "deploy", ...shares.map(({ versionId, percentage }) => `${versionId}@${percentage}%`)],
      ...["-c", config, "--message", message, "--yes"],
    ]);
  }

  /** Applies what versions do not have: routes, crons, consumers of queues, Workflows. Returns the worker's addresses. */
  async deployTriggers(config: string): Promise<string[]> {
    const output = await this.runOrThrow(["triggers", "deploy", "-c", config]);
    return [...output.matchAll(/https:\/\/\S+/g)].map(([address]) => address);
  }
}

const placeArguments = ({ jurisdiction, location }: StoredWhere): string[] => [
  ...(jurisdiction === undefined ? [] : ["--jurisdiction", jurisdiction]),
  ...(location === undefined ? [] : ["--location", location]),
];
