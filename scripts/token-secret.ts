// `npm run token-secret -- rotate|end|list`: replaces the secret that signs user tokens, without ending tokens, in the
// local state of `npm start` or, with --remote, in the Cloudflare account.
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { exitWithError, parseOrExit } from "../model/cli/options.ts";
import { maxTokenSeconds } from "../shared/contracts/credential.ts";
import { deployedGatewayConfig, remoteGatewayDatabase } from "./applications/gateway-database.ts";
import { Account } from "./deploy/account.ts";
import { stateDirectory } from "./start/options.ts";
import { tableLines } from "./terminal/table.ts";
import { AccountSecrets } from "./token-secret/account-secrets.ts";
import { LocalSecrets } from "./token-secret/local-secrets.ts";
import { end, listRows, rotate } from "./token-secret/rotation.ts";
import { runWrangler } from "./wrangler.ts";

const usage = "Usage: npm run token-secret -- rotate|end|list [--now] [--remote]";
const { values, positionals } = parseOrExit(
  () =>
    parseArgs({
      allowPositionals: true,
      options: {
        remote: { type: "boolean", default: false },
        now: { type: "boolean", default: false },
      },
    }),
  usage,
);
const [verb, ...rest] = positionals;
if (rest.length > 0 || !["rotate", "end", "list"].includes(verb) || (values.now && verb !== "end"))
  exitWithError(usage);

try {
  const account = new Account(runWrangler);
  const config = values.remote ? await deployedGatewayConfig(account) : null;
  const store = config
    ? new AccountSecrets(account, config, remoteGatewayDatabase(account, config))
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
