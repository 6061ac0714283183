// Brings Vicinity to a Cloudflare account: creates what the account lacks, migrates, deploys. Safe to run again.
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { applicationName } from "../shared/contracts/primitives.ts";
import { hashKey, encodeKey } from "../workers/gateway/keys/key.ts";
import { citySeedStatements } from "./databases/cities.ts";
import { Account } from "./deploy/account.ts";
import { resourcesOf } from "./deploy/resources.ts";
import { stop, Task } from "./terminal/terminal.ts";
import { pagesConfig, placeOf, root, type WorkerPlace } from "./workers.ts";
import { runWrangler } from "./wrangler.ts";

const { values } = parseArgs({
  options: {
    "dry-run": { type: "boolean", default: false },
    application: { type: "string", default: "shop" },
  },
});
const application = applicationName.safeParse(values.application);
if (!application.success) stop(`--application: ${application.error.issues[0]?.message}`);
const account = new Account(runWrangler);

/** What is deployed: a worker, with its database if it has one. */
type Deployed = Pick<WorkerPlace, "name" | "config" | "database">;

const pages: Deployed = { name: "pages", config: pagesConfig, database: null };
/** Callees before callers: a binding needs the worker that it names. */
const order: readonly Deployed[] = [
  pages,
  ...["user", "location", "product", "recommendation", "trainer", "gateway"].map(placeOf),
];

/** The configuration with the account's ids, beside the one it was made from, so that its paths hold. */
function withIds({ config }: Deployed, ids: ReadonlyMap<string, string>): string {
  let text = readFileSync(join(root, config), "utf8");
  for (const [placeholder, id] of ids) text = text.replaceAll(`"${placeholder}"`, `"${id}"`);
  const file = join(root, dirname(config), "wrangler.deploy.toml");
  writeFileSync(file, text);
  return file;
}

/** Runs statements on a database of the account; answers what wrangler says of them. */
async function execute(database: string, config: string, sql: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "vicinity-"));
  try {
    const file = join(folder, "statements.sql");
    writeFileSync(file, sql);
    return await account.must([
      ...["d1", "execute", database, "--remote", "--yes", "-c", config],
      ...["--file", file],
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Issues the first admin key where there is none: shown once, stored as a hash. */
async function firstKey(database: string, config: string): Promise<string | null> {
  const count = ["--json", "--command", "SELECT count(*) AS present FROM api_keys"];
  const answer = await account.must(["d1", "execute", database, "--remote", "-c", config, ...count]);
  if (!/"present":\s*0\b/.test(answer)) return null;
  const key = encodeKey(randomBytes(32));
  await execute(
    database,
    config,
    `INSERT INTO api_keys (application, id, role, name, hash, created_at)
     VALUES ('${application.data}', 'first', 'admin', 'first key', '${await hashKey(key)}', unixepoch());`,
  );
  return key;
}

/** Gives the gateway a secret to sign tokens with, once. */
async function tokenSecret(config: string): Promise<void> {
  const secrets = await account.must(["secret", "list", "-c", config]);
  if (!secrets.includes("TOKEN_SECRET"))
    await account.must(["secret", "put", "TOKEN_SECRET", "-c", config], randomBytes(32).toString("hex"));
}

async function bundleAll(): Promise<void> {
  for (const { name, config } of order) {
    const task = new Task(name);
    const output = await account.must(["deploy", "--dry-run", "-c", config]);
    task.done(/Total Upload: .*/.exec(output)?.[0] ?? "");
  }
}

async function deploy(): Promise<void> {
  const configs = new Map<string, string>();
  for (const place of order) {
    const providing = new Task(`${place.name}: resources`);
    const ids = await account.provide(resourcesOf(join(root, place.config)));
    const config = withIds(place, ids);
    configs.set(place.name, config);
    if (place.database)
      await account.must(["d1", "migrations", "apply", place.database, "--remote", "-c", config]);
    if (place.name === "location")
      await execute("vicinity-location", config, citySeedStatements().join("\n"));
    providing.done();
  }
  for (const { name } of order) {
    const deploying = new Task(`${name}: deployed`);
    const output = await account.must(["deploy", "-c", configs.get(name) as string]);
    deploying.done(/https:\S+workers\.dev/.exec(output)?.[0] ?? "");
  }
  const gateway = configs.get("gateway") as string;
  await tokenSecret(gateway);
  const key = await firstKey("vicinity-gateway", gateway);
  if (key) console.log(`\nThe first admin key of "${application.data}", shown this once: ${key}`);
}

try {
  await (values["dry-run"] ? bundleAll() : deploy());
} catch (error) {
  stop(`\n${error instanceof Error ? error.message : error}`);
}
