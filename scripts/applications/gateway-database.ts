import { existsSync } from "node:fs";
import { join } from "node:path";
import type { D1Database } from "@cloudflare/workers-types";
import { commandDatabase } from "../databases/command-database.ts";
import type { Account } from "../deploy/account/account.ts";
import { executeOn } from "../deploy/account/account-state.ts";
import type { Environment } from "../deploy/configuration/environment.ts";
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

/** Returns the gateway's database of an environment in the account. */
export const gatewayDatabaseOf = (account: Account, { suffix }: Environment): D1Database =>
  commandDatabase(executeOn(account, `${databaseName}${suffix}`));

/** Returns the gateway's database of an environment. Throws if nothing is deployed there; creates nothing. */
export async function deployedGatewayDatabase(
  account: Account,
  environment: Environment,
): Promise<D1Database> {
  if (!(await account.databases()).has(`${databaseName}${environment.suffix}`))
    throw new Error(
      `The account has no database "${databaseName}${environment.suffix}". Deploy first: npm run deploy -- --env ${environment.name}`,
    );
  return gatewayDatabaseOf(account, environment);
}
