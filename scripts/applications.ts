// `npm run applications`: lists applications, creates one with its first admin key, and manages keys of any
// application, in the local state of `npm start` or, with --remote, in the Cloudflare account.
import { exitWithError, parseOrExit } from "../model/cli/options.ts";
import { ApplicationKeys } from "./applications/application-keys.ts";
import {
  deployedGatewayConfig,
  localGatewayDatabase,
  remoteGatewayDatabase,
} from "./applications/gateway-database.ts";
import { parseApplicationsCommand, usage } from "./applications/parse-command.ts";
import { runApplicationsCommand } from "./applications/run-command.ts";
import { Account } from "./deploy/account.ts";
import { outputConditions } from "./secrets/secret-output.ts";
import { stateDirectory } from "./start/options.ts";
import { runWrangler } from "./wrangler.ts";

const command = parseOrExit(() => parseApplicationsCommand(process.argv.slice(2)), usage);
const account = new Account(runWrangler);
try {
  const database = command.remote
    ? remoteGatewayDatabase(account, await deployedGatewayConfig(account))
    : localGatewayDatabase(account, stateDirectory(process.env));
  const keys = new ApplicationKeys(database, () => Date.now() / 1000);
  for (const line of await runApplicationsCommand(command, keys, outputConditions(command.keyFile)))
    console.log(line);
} catch (error) {
  exitWithError(error instanceof Error ? error.message : String(error));
}
