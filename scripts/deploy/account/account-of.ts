import { runWrangler } from "../../wrangler.ts";
import type { Environment } from "../configuration/environment.ts";
import { Account } from "./account.ts";

/** Returns the account of an environment: the one that it names, else the one of your login. */
export const accountOf = ({ account_id }: Environment): Account =>
  new Account((args, input) =>
    runWrangler(args, input, account_id === undefined ? {} : { CLOUDFLARE_ACCOUNT_ID: account_id }),
  );

/** Runs wrangler for a local state. */
export const localAccount = new Account((args, input) => runWrangler(args, input));
