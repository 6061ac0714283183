import { readFileSync, writeFileSync } from "node:fs";
import type { Account } from "./account.ts";

/** The worker that held the objects of a class until version 0.2, by the worker that holds them now. */
const formerOwners: Readonly<Record<string, { worker: string; className: string }>> = {
  "user-session": { worker: "recommendation", className: "UserSession" },
  cell: { worker: "location", className: "Cell" },
};

/**
 * Returns a configuration whose first migration takes the objects of a class over from the script that holds them, instead
 * of creating the class. The migration keeps its tag, so that later deployments use the configuration as it is in the
 * repository. Throws if the configuration does not create the class.
 */
export function withTransfer(config: string, className: string, script: string): string {
  const creation = `new_sqlite_classes = ["${className}"]`;
  if (!config.includes(creation)) throw new Error(`The configuration has no line \`${creation}\`.`);
  const transfer = `{ from = "${className}", from_script = "${script}", to = "${className}" }`;
  return config.replace(creation, `transferred_classes = [${transfer}]`);
}

/**
 * Changes the configuration of a worker of objects so that its first deployment transfers the objects of an account that
 * has them in another worker. Does nothing for other workers, for a new account, and once the worker exists. `configOf`
 * returns the path of a worker's configuration in the account.
 */
export async function transferObjects(
  account: Account,
  worker: string,
  configOf: (worker: string) => string,
): Promise<void> {
  const former = formerOwners[worker];
  if (former === undefined) return;
  const config = configOf(worker);
  if (await account.hasWorker(config)) return;
  if (!(await account.hasWorker(configOf(former.worker)))) return;
  const text = readFileSync(config, "utf8");
  writeFileSync(config, withTransfer(text, former.className, `vicinity-${former.worker}`));
}
