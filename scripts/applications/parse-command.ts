import { parseArgs } from "node:util";
import { type KeyInput, keyInput, keyRotation } from "../../shared/contracts/credential.ts";
import { applicationName } from "../../shared/contracts/primitives.ts";
import { issuesOf } from "../../shared/contracts/result.ts";

export const usage = `Usage: npm run applications -- list
       npm run applications -- create NAME [--key-file FILE]
       npm run applications -- keys NAME
       npm run applications -- keys NAME create --role admin|server|publishable [--scopes SCOPE,...] [--name TEXT] [--key-file FILE]
       npm run applications -- keys NAME rotate ID [--overlap-seconds N] [--key-file FILE]
       npm run applications -- keys NAME revoke ID
--env NAME changes that environment in your Cloudflare account instead of the local state of npm start.`;

/** What `npm run applications` shall do. */
export type ApplicationsCommand = { environment: string | undefined; keyFile: string | undefined } & (
  | { do: "list" }
  | { do: "create" | "keys"; application: string }
  | { do: "create-key"; application: string; input: KeyInput }
  | { do: "rotate"; application: string; id: string; overlapSeconds: number }
  | { do: "revoke"; application: string; id: string }
);

/** Returns the parsed value, or throws with what is wrong with it. */
function checked<T>(
  parsed: { success: true; data: T } | { success: false; error: Parameters<typeof issuesOf>[0] },
  input: unknown,
): T {
  if (parsed.success) return parsed.data;
  const [{ path, message }] = issuesOf(parsed.error, input);
  throw new Error(path === "" ? message : `--${path}: ${message}`);
}

/** Parses the arguments of `npm run applications`. Throws if they are not a command. */
export function parseApplicationsCommand(args: string[]): ApplicationsCommand {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      env: { type: "string" },
      "key-file": { type: "string" },
      role: { type: "string" },
      scopes: { type: "string" },
      name: { type: "string" },
      "overlap-seconds": { type: "string" },
    },
  });
  const where = { environment: values.env, keyFile: values["key-file"] };
  const [verb, name, action, id, ...rest] = positionals;
  if (verb === "list" && name === undefined) return { do: "list", ...where };
  const known = verb === "create" ? action === undefined : verb === "keys" && rest.length === 0;
  if (!known || name === undefined) throw new Error("There is no such command.");
  const parsedName = applicationName.safeParse(name);
  if (!parsedName.success) throw new Error(`The name "${name}" ${parsedName.error.issues[0]?.message}.`);
  const application = parsedName.data;
  if (verb === "create") return { do: "create", application, ...where };
  if (action === undefined) return { do: "keys", application, ...where };
  if (action === "create" && id === undefined) {
    const input = {
      role: values.role,
      ...(values.scopes === undefined ? {} : { scopes: values.scopes.split(",").filter(Boolean) }),
      ...(values.name === undefined ? {} : { name: values.name }),
    };
    return { do: "create-key", application, input: checked(keyInput.safeParse(input), input), ...where };
  }
  if (action === "rotate" && id !== undefined) {
    const overlap = values["overlap-seconds"];
    const input = overlap === undefined ? {} : { overlapSeconds: Number(overlap) };
    const { overlapSeconds } = checked(keyRotation.safeParse(input), input);
    return { do: "rotate", application, id, overlapSeconds, ...where };
  }
  if (action === "revoke" && id !== undefined) return { do: "revoke", application, id, ...where };
  throw new Error("There is no such command.");
}
