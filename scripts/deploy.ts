// `npm run deploy`: creates missing resources in a Cloudflare account, migrates the databases and deploys all workers.
// It may be run again at any time. `--dry-run` only bundles the workers. `--application` names the first admin key's
// application, and `--key-file` a new file for that key.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { exitWithError, parseOrExit } from "../model/cli/options.ts";
import { applicationName } from "../shared/contracts/primitives.ts";
import { ApplicationKeys } from "./applications/application-keys.ts";
import { remoteGatewayDatabase, writeConfigWithIds } from "./applications/gateway-database.ts";
import { citySeedStatements } from "./databases/cities.ts";
import { Account } from "./deploy/account.ts";
import { readResources } from "./deploy/resources.ts";
import { planSecrets } from "./deploy/shared-secrets.ts";
import { transferObjects } from "./deploy/transfer-objects.ts";
import { openSecretOutput, outputConditions, type SecretOutput } from "./secrets/secret-output.ts";
import { ProgressLine } from "./terminal/progress-line.ts";
import { secretName, secretNumber } from "./token-secret/secret-store.ts";
import { pagesConfig, root, type WorkerConfig, workerNamed } from "./workers.ts";
import { runWrangler } from "./wrangler.ts";

const { values } = parseOrExit(
  () =>
    parseArgs({
      options: {
        "dry-run": { type: "boolean", default: false },
        application: { type: "string", default: "shop" },
        "key-file": { type: "string" },
      },
    }),
  "Usage: npm run deploy -- [--dry-run] [--application NAME] [--key-file FILE]",
);
const parsedName = applicationName.safeParse(values.application);
const application = parsedName.success
  ? parsedName.data
  : exitWithError(
      `--application "${values.application}" is not a valid name: ${parsedName.error.issues[0]?.message}`,
    );
const account = new Account(runWrangler);
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A worker to deploy: with code, or with static pages only. */
type Deployment = Pick<WorkerConfig, "name" | "config" | "database">;

const pages: Deployment = { name: "pages", config: pagesConfig, database: null };
/** Called workers before their callers: Cloudflare rejects a binding to a worker that does not exist yet. */
const deploymentOrder: readonly Deployment[] = [
  pages,
  ...["user", "cell", "location", "user-session", "product", "recommendation", "trainer", "gateway"].map(
    workerNamed,
  ),
];

/** Runs `use` with a temporary file that holds `text` and that only this user may read. */
async function withTemporaryFile<T>(
  name: string,
  text: string,
  use: (file: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "vicinity-"));
  try {
    const file = join(folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    return await use(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Runs SQL statements on a database of the account. Returns wrangler's output. */
const executeSql = (database: string, config: string, sql: string): Promise<string> =>
  withTemporaryFile("statements.sql", sql, (file) =>
    account.runOrThrow(["d1", "execute", database, "--remote", "--yes", "-c", config, "--file", file]),
  );

/** Returns the secrets that each worker lacks: given ones, or random ones. */
async function newSecrets(
  configOf: (worker: string) => string,
): Promise<Map<string, Record<string, string>>> {
  const needed = [];
  for (const { name, config } of deploymentOrder) {
    const required = readResources(join(root, config)).secrets;
    needed.push({ worker: name, required, missing: await account.missingSecrets(configOf(name), required) });
  }
  return planSecrets(needed, process.env);
}

/**
 * Deploys a worker. Uploads the required secrets that it lacks with the same version, since no version may run without
 * them. Returns wrangler's output.
 */
async function deployWorker(config: string, secrets: Record<string, string> | undefined): Promise<string> {
  const deploy = ["deploy", "-c", config];
  if (secrets === undefined) return account.runOrThrow(deploy);
  return withTemporaryFile("secrets.json", JSON.stringify(secrets), (file) =>
    account.runOrThrow([...deploy, "--secrets-file", file]),
  );
}

/**
 * Creates an admin key if the application has none that works. Returns a line that says where the key is, or how to
 * make one where this output would end in a log; null if there is one.
 */
async function createAdminKeyIfNone(config: string): Promise<string | null> {
  const keys = new ApplicationKeys(remoteGatewayDatabase(account, config), () => Date.now() / 1000);
  if (await keys.hasAdminKey(application)) return null;
  const name = `the application "${application}"`;
  let output: SecretOutput;
  try {
    output = openSecretOutput(outputConditions(values["key-file"]));
  } catch (error) {
    const command =
      (await keys.list(application)).length === 0
        ? `create ${application}`
        : `keys ${application} create --role admin`;
    return `No admin key of ${name} was made. ${messageOf(error)}\nMake one: npm run applications -- ${command} --remote --key-file FILE`;
  }
  const { key } = await keys.create(application, { role: "admin", scopes: [], name: "first key" });
  return `Admin key of ${name}: ${output.write(key)}`;
}

/** Creates the secret with which the gateway signs user tokens, unless it exists. */
async function createTokenSecret(config: string): Promise<void> {
  const names = await account.secretNames(config);
  if (names.every((name) => secretNumber(name) === null))
    await account.runOrThrow(["secret", "put", secretName(1), "-c", config], randomBytes(32).toString("hex"));
}

/** Bundles all workers without deploying them, and prints the size of each. */
async function bundleAll(): Promise<void> {
  for (const { name, config } of deploymentOrder) {
    const task = new ProgressLine(`Bundle ${name}`);
    const output = await account.runOrThrow(["deploy", "--dry-run", "-c", config]);
    task.done(/Total Upload: .*/.exec(output)?.[0] ?? "");
  }
}

/**
 * Creates resources and migrates the databases of all workers, deploys the workers, then creates secrets and the first
 * key.
 */
async function deploy(): Promise<void> {
  const configs = new Map<string, string>();
  for (const worker of deploymentOrder) {
    const preparing = new ProgressLine(`Create resources of ${worker.name}`);
    const ids = await account.createMissingResources(readResources(join(root, worker.config)));
    const config = writeConfigWithIds(worker.config, ids);
    configs.set(worker.name, config);
    if (worker.database)
      await account.runOrThrow(["d1", "migrations", "apply", worker.database, "--remote", "-c", config]);
    if (worker.name === "location")
      await executeSql("vicinity-location", config, citySeedStatements().join("\n"));
    preparing.done();
  }
  const configOf = (worker: string): string => configs.get(worker) as string;
  const secrets = await newSecrets(configOf);
  for (const { name } of deploymentOrder) {
    const deploying = new ProgressLine(`Deploy ${name}`);
    await transferObjects(account, name, configOf);
    const output = await deployWorker(configOf(name), secrets.get(name));
    deploying.done(/https:\S+workers\.dev/.exec(output)?.[0] ?? "");
  }
  const gateway = configOf("gateway");
  await createTokenSecret(gateway);
  const line = await createAdminKeyIfNone(gateway);
  if (line) console.log(`\n${line}`);
}

try {
  await (values["dry-run"] ? bundleAll() : deploy());
} catch (error) {
  exitWithError(
    `\nThe deployment failed: ${messageOf(error)}\nFix the cause and run npm run deploy again: it may be repeated at any time.`,
  );
}
