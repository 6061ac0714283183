import type { OutputConditions } from "../secrets/secret-output.ts";
import { openSecretOutput } from "../secrets/secret-output.ts";
import { tableLines } from "../terminal/table.ts";
import type { ApplicationKeys, NewKey } from "./application-keys.ts";
import type { ApplicationsCommand } from "./parse-command.ts";

const timeText = (seconds: number | null): string =>
  seconds === null ? "never" : new Date(seconds * 1000).toISOString();

/** Makes a key after its output is open, so that no secret is made that cannot be written. Returns lines to print. */
async function reveal(
  conditions: OutputConditions,
  make: () => Promise<NewKey>,
  title: (made: NewKey) => string,
): Promise<string[]> {
  const output = openSecretOutput(conditions);
  try {
    const made = await make();
    return [`${title(made)}: ${output.write(made.key)}`];
  } catch (error) {
    output.discard();
    throw error;
  }
}

async function keyLines(keys: ApplicationKeys, application: string): Promise<string[]> {
  const records = await keys.list(application);
  if (records.length === 0) throw new Error(`There is no application "${application}".`);
  const stateOf = ({ revokedAt, expiresAt }: (typeof records)[number]): string =>
    revokedAt ? `revoked ${revokedAt}` : expiresAt ? `ends ${expiresAt}` : "works";
  return tableLines([
    ["id", "role", "name", "scopes", "last used", "state"],
    ...records.map((each) => [
      each.id,
      each.role,
      each.name,
      each.scopes.join(" "),
      each.lastUsedAt ?? "never",
      stateOf(each),
    ]),
  ]);
}

/** Runs a command of `npm run applications`. Returns the lines to print. */
export async function runApplicationsCommand(
  command: ApplicationsCommand,
  keys: ApplicationKeys,
  conditions: OutputConditions,
): Promise<string[]> {
  switch (command.do) {
    case "list":
      return tableLines([
        ["application", "working keys", "last used"],
        ...(await keys.listApplications()).map((each) => [
          each.application,
          String(each.activeKeys),
          timeText(each.lastUsedAt),
        ]),
      ]);
    case "create": {
      const { application } = command;
      if ((await keys.list(application)).length > 0)
        throw new Error(
          `There is an application "${application}" already; npm run applications -- keys ${application} lists its keys.`,
        );
      return reveal(
        conditions,
        () => keys.create(application, { role: "admin", scopes: [], name: "first key" }),
        () => `Admin key of the application "${application}"`,
      );
    }
    case "keys":
      return keyLines(keys, command.application);
    case "create-key": {
      const { application, input } = command;
      if ((await keys.list(application)).length === 0)
        throw new Error(
          `There is no application "${application}". Create it first: npm run applications -- create ${application}`,
        );
      return reveal(
        conditions,
        () => keys.create(application, input),
        ({ record }) => `The ${record.role} key ${record.id} of "${application}"`,
      );
    }
    case "rotate": {
      const { application, id, overlapSeconds } = command;
      return reveal(
        conditions,
        () => keys.rotate(application, id, overlapSeconds),
        ({ record }) =>
          `The key ${id} ends in ${overlapSeconds} s. The ${record.role} key ${record.id} replaces it`,
      );
    }
    case "revoke":
      await keys.revoke(command.application, command.id);
      return [`The key ${command.id} is revoked. Every Cloudflare location refuses it within seconds.`];
  }
}
