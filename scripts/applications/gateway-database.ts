import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { D1Database } from "@cloudflare/workers-types";
import { commandDatabase } from "../databases/command-database.ts";
import type { Account } from "../deploy/account.ts";
import { readResources } from "../deploy/resources.ts";
import { root, workerNamed } from "../workers.ts";

const { config: gatewayConfig, database } = workerNamed("gateway");
const databaseName = database as string;
const execute = (config: string, ...where: string[]): string[] => [
  ...["d1", "execute", databaseName, ...where, "-c", config, "--json", "--yes", "--command"],
];

/** Returns the gateway's database of a local state. It may be read and written while `npm start` runs. */
export function localGatewayDatabase(account: Account, stateDir: string): D1Database {
  if (!existsSync(join(stateDir, "migrated")))
    throw new Error(
      `${stateDir} contains no state of Vicinity. Run npm start first, or name it by STATE_DIR.`,
    );
  const command = execute(join(root, gatewayConfig), "--local", "--persist-to", stateDir);
  return commandDatabase((sql) => account.runOrThrow([...command, sql]));
}

/**
 * Writes a worker's configuration with the account's ids in place of the placeholders, and returns its path. The file
 * is in the folder of the original configuration, so that relative paths stay valid.
 */
export function writeConfigWithIds(config: string, ids: ReadonlyMap<string, string>): string {
  let text = readFileSync(join(root, config), "utf8");
  for (const [placeholder, id] of ids) text = text.replaceAll(`"${placeholder}"`, `"${id}"`);
  const file = join(root, dirname(config), "wrangler.deploy.toml");
  writeFileSync(file, text);
  return file;
}

/**
 * Returns the configuration of the gateway that is deployed in the account. Throws if nothing is deployed; creates
 * nothing.
 */
export async function deployedGatewayConfig(account: Account): Promise<string> {
  const ids = await account.findDatabases(readResources(join(root, gatewayConfig)));
  if (ids === null)
    throw new Error(`The account has no database "${databaseName}". Deploy first: npm run deploy`);
  return writeConfigWithIds(gatewayConfig, ids);
}

/** Returns the gateway's database in the account, by the configuration that names it. */
export const remoteGatewayDatabase = (account: Account, config: string): D1Database =>
  commandDatabase((sql) => account.runOrThrow([...execute(config, "--remote"), sql]));
