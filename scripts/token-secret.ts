// `npm run token-secret -- rotate|end|list`: replaces the secret that signs user tokens, without ending tokens, in the
// local state of `npm start` or, with --env, in an environment of the Cloudflare account.
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { exitWithError, parseOrExit } from "../model/cli/options.ts";
import { maxTokenSeconds } from "../shared/contracts/credential.ts";
import { deployedGatewayDatabase } from "./applications/gateway-database.ts";
import { accountOf } from "./deploy/account/account-of.ts";
import { readEnvironment } from "./deploy/configuration/environment.ts";
import { stateDirectory } from "./start/options.ts";
import { tableLines } from "./terminal/table.ts";
import { AccountSecrets } from "./token-secret/account-secrets.ts";
import { LocalSecrets } from "./token-secret/local-secrets.ts";
import { end, listRows, rotate } from "./token-secret/rotation.ts";

const usage = "Usage: npm run token-secret -- rotate|end|list [--now] [--env NAME]";
const { values, positionals } = parseOrExit(
  () =>
    parseArgs({
      allowPositionals: true,
      options: {
        env: { type: "string" },
        now: { type: "boolean", default: false },
      },
    }),
  usage,
);
const [verb, ...rest] = positionals;
if (rest.length > 0 || !["rotate", "end", "list"].includes(verb) || (values.now && verb !== "end"))
  exitWithError(usage);

try {
  const environment = values.env === undefined ? null : readEnvironment(values.env);
  const account = environment && accountOf(environment);
  const store =
    environment && account
      ? new AccountSecrets(
          account,
          `vicinity-gateway${environment.suffix}`,
          await deployedGatewayDatabase(account, environment),
        )
      : new LocalSecrets(stateDirectory(process.env));
  const options = {
    now: Date.now() / 1000,
    maxTokenSeconds,
    random: () => randomBytes(32).toString("hex"),
  };
  const lines =
    verb === "rotate"
      ? await rotate(store, options)
      : verb === "end"
        ? await end(store, options, values.now)
        : tableLines([["secret", "signs from", "state"], ...(await listRows(store, options))]);
  for (const line of lines) console.log(line);
} catch (error) {
  exitWithError(error instanceof Error ? error.message : String(error));
}
