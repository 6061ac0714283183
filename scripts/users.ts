// `npm run users`: asks for moves of buckets of users between the databases of the user worker, and shows how far they
// are, in the local state of `npm start` or, with --env, in an environment of the Cloudflare account.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { exitWithError, parseOrExit } from "../model/cli/options.ts";
import { commandDatabase } from "./databases/command-database.ts";
import { accountOf, localAccount } from "./deploy/account/account-of.ts";
import { executeOn } from "./deploy/account/account-state.ts";
import { readEnvironment } from "./deploy/configuration/environment.ts";
import { stateDirectory } from "./start/options.ts";
import { parseUsersCommand, runUsersCommand, usage } from "./users/bucket-requests.ts";
import { root, workerNamed } from "./workers.ts";

const { command, environmentName } = parseOrExit(() => {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { env: { type: "string" } } });
  return { command: parseUsersCommand(positionals), environmentName: values.env };
}, usage);
const { config, database: name } = workerNamed("user");

/** Runs SQL on the first database of users. */
function execute(): (sql: string) => Promise<string> {
  if (environmentName !== undefined) {
    const environment = readEnvironment(environmentName);
    return executeOn(accountOf(environment), `${name}${environment.suffix}`);
  }
  const stateDir = stateDirectory(process.env);
  if (!existsSync(join(stateDir, "migrated")))
    throw new Error(
      `${stateDir} contains no state of Vicinity. Run npm start first, or name it by STATE_DIR.`,
    );
  const where = ["--local", "--persist-to", stateDir, "-c", join(root, config)];
  return (sql) =>
    localAccount.runOrThrow(["d1", "execute", String(name), ...where, "--json", "--yes", "--command", sql]);
}

try {
  for (const line of await runUsersCommand(command, commandDatabase(execute()), Date.now() / 1000))
    console.log(line);
} catch (error) {
  exitWithError(error instanceof Error ? error.message : String(error));
}
