import { ApplicationKeys } from "../applications/application-keys.ts";
import { gatewayDatabaseOf } from "../applications/gateway-database.ts";
import { type OutputConditions, openSecretOutput, type SecretOutput } from "../secrets/secret-output.ts";
import type { Account } from "./account/account.ts";
import type { Environment } from "./configuration/environment.ts";

/**
 * Creates an admin key if the application has none that works. Returns a line that says where the key is, or how to make
 * one where this output would end in a log; null if there is one. `now` returns seconds since the Unix epoch.
 */
export async function createFirstKey(
  account: Account,
  environment: Environment,
  application: string,
  conditions: OutputConditions,
  now: () => number,
): Promise<string | null> {
  const keys = new ApplicationKeys(gatewayDatabaseOf(account, environment), now);
  if (await keys.hasAdminKey(application)) return null;
  const name = `the application "${application}"`;
  let output: SecretOutput;
  try {
    output = openSecretOutput(conditions);
  } catch (error) {
    const command =
      (await keys.list(application)).length === 0
        ? `create ${application}`
        : `keys ${application} create --role admin`;
    return `No admin key of ${name} was made. ${error instanceof Error ? error.message : error}\n  Make one: npm run applications -- ${command} --env ${environment.name} --key-file FILE`;
  }
  const { key } = await keys.create(application, { role: "admin", scopes: [], name: "first key" });
  return `Admin key of ${name}: ${output.write(key)}`;
}
