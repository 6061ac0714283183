// `npm run applications`: lists applications, creates one with its first admin key, and manages keys of any
// application, in the local state of `npm start` or, with --env, in an environment of the Cloudflare account.
import { exitWithError, parseOrExit } from "../model/cli/options.ts";
import { ApplicationKeys } from "./applications/application-keys.ts";
import { deployedGatewayDatabase, localGatewayDatabase } from "./applications/gateway-database.ts";
import { parseApplicationsCommand, usage } from "./applications/parse-command.ts";
import { runApplicationsCommand } from "./applications/run-command.ts";
import { accountOf, localAccount } from "./deploy/account/account-of.ts";
import { readEnvironment } from "./deploy/configuration/environment.ts";
import { outputConditions } from "./secrets/secret-output.ts";
import { stateDirectory } from "./start/options.ts";

const command = parseOrExit(() => parseApplicationsCommand(process.argv.slice(2)), usage);
try {
  const environment = command.environment === undefined ? null : readEnvironment(command.environment);
  const database = environment
    ? await deployedGatewayDatabase(accountOf(environment), environment)
    : localGatewayDatabase(localAccount, stateDirectory(process.env));
  const keys = new ApplicationKeys(database, () => Date.now() / 1000);
  for (const line of await runApplicationsCommand(command, keys, outputConditions(command.keyFile)))
    console.log(line);
} catch (error) {
  exitWithError(error instanceof Error ? error.message : String(error));
}
