// Brings Vicinity to a Cloudflare account: creates what the account lacks, migrates, deploys. Safe to run again.
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { applicationName } from "../shared/contracts/primitives.ts";
import { encodeKey, hashKey } from "../workers/gateway/keys/key.ts";
import { citySeedStatements } from "./databases/cities.ts";
import { Account } from "./deploy/account.ts";
import { readResources } from "./deploy/resources.ts";
import { exitWithError, ProgressLine } from "./terminal/terminal.ts";
import { pagesConfig, root, type WorkerConfig, workerNamed } from "./workers.ts";
import { runWrangler } from "./wrangler.ts";

const { values } = parseArgs({
  options: {
    "dry-run": { type: "boolean", default: false },
    application: { type: "string", default: "shop" },
  },
});
const application = applicationName.safeParse(values.application);
if (!application.success) exitWithError(`--application: ${application.error.issues[0]?.message}`);
const account = new Account(runWrangler);

/** What is deployed: a worker, with its database if it has one. */
type Deployment = Pick<WorkerConfig, "name" | "config" | "database">;

const pages: Deployment = { name: "pages", config: pagesConfig, database: null };
/** Callees before callers: a binding needs the worker that it names. */
const deploymentOrder: readonly Deployment[] = [
  pages,
  ...["user", "location", "product", "recommendation", "trainer", "gateway"].map(workerNamed),
];

/** The configuration with the account's ids, beside the one it was made from, so that its paths hold. */
function writeConfigWithIds({ config }: Deployment, ids: ReadonlyMap<string, string>): string {
  let text = readFileSync(join(root, config), "utf8");
  for (const [placeholder, id] of ids) text = text.replaceAll(`"${placeholder}"`, `"${id}"`);
  const file = join(root, dirname(config), "wrangler.deploy.toml");
  writeFileSync(file, text);
  return file;
}

/** Runs statements on a database of the account; answers what wrangler says of them. */
async function executeSql(database: string, config: string, sql: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "vicinity-"));
  try {
    const file = join(folder, "statements.sql");
    writeFileSync(file, sql);
    return await account.runOrThrow([
      ...["d1", "execute", database, "--remote", "--yes", "-c", config],
      ...["--file", file],
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Issues the first admin key where there is none: shown once, stored as a hash. */
async function createFirstKey(database: string, config: string): Promise<string | null> {
  const count = ["--json", "--command", "SELECT count(*) AS present FROM api_keys"];
  const answer = await account.runOrThrow(["d1", "execute", database, "--remote", "-c", config, ...count]);
  if (!/"present":\s*0\b/.test(answer)) return null;
  const key = encodeKey(randomBytes(32));
  await executeSql(
    database,
    config,
    `INSERT INTO api_keys (application, id, role, name, hash, created_at)
     VALUES ('${application.data}', 'first', 'admin', 'first key', '${await hashKey(key)}', unixepoch());`,
  );
  return key;
}

/** Gives the gateway a secret to sign tokens with, once. */
async function createTokenSecret(config: string): Promise<void> {
  const secrets = await account.runOrThrow(["secret", "list", "-c", config]);
  if (!secrets.includes("TOKEN_SECRET"))
    await account.runOrThrow(
      ["secret", "put", "TOKEN_SECRET", "-c", config],
      randomBytes(32).toString("hex"),
    );
}

async function bundleAll(): Promise<void> {
  for (const { name, config } of deploymentOrder) {
    const task = new ProgressLine(name);
    const output = await account.runOrThrow(["deploy", "--dry-run", "-c", config]);
    task.done(/Total Upload: .*/.exec(output)?.[0] ?? "");
  }
}

async function deploy(): Promise<void> {
  const configs = new Map<string, string>();
  for (const place of deploymentOrder) {
    const providing = new ProgressLine(`${place.name}: resources`);
    const ids = await account.createMissingResources(readResources(join(root, place.config)));
    const config = writeConfigWithIds(place, ids);
    configs.set(place.name, config);
    if (place.database)
      await account.runOrThrow(["d1", "migrations", "apply", place.database, "--remote", "-c", config]);
    if (place.name === "location")
      await executeSql("vicinity-location", config, citySeedStatements().join("\n"));
    providing.done();
  }
  for (const { name } of deploymentOrder) {
    const deploying = new ProgressLine(`${name}: deployed`);
    const output = await account.runOrThrow(["deploy", "-c", configs.get(name) as string]);
    deploying.done(/https:\S+workers\.dev/.exec(output)?.[0] ?? "");
  }
  const gateway = configs.get("gateway") as string;
  await createTokenSecret(gateway);
  const key = await createFirstKey("vicinity-gateway", gateway);
  if (key) console.log(`\nThe first admin key of "${application.data}", shown this once: ${key}`);
}

try {
  await (values["dry-run"] ? bundleAll() : deploy());
} catch (error) {
  exitWithError(`\n${error instanceof Error ? error.message : error}`);
}
