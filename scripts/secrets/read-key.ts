import { readFileSync, statSync } from "node:fs";
import { exitWithError } from "../../model/cli/options.ts";
import { askSecret } from "./ask-secret.ts";

/** Options of the commands that call the API with a key. */
export const keyArguments = { key: { type: "string" }, "key-file": { type: "string" } } as const;
/** How the usage of a command names them. */
export const keyUsage = "[--key-file FILE]";

/** Keys that everybody knows. They work on the developer's machine only, so a process list may show them. */
const developmentKeys = ["dev-admin-key", "dev-server-key", "dev-publishable-key"];

/** Where a key comes from. */
export interface KeySources {
  values: { key?: string; "key-file"?: string };
  environment: NodeJS.ProcessEnv;
  /** Whether a user can answer a question. */
  isInteractive: boolean;
  ask(question: string): Promise<string>;
  /** Key that is used if none is given; null if one must be given. */
  fallback: string | null;
}

const waysToGive =
  "Give the key in a file (--key-file FILE) or in the environment variable VICINITY_KEY, or run the command in a terminal to be asked for it.";

/** Returns the key in a file. Throws if other users may read the file, or if it is empty. */
function keyInFile(file: string): string {
  // Windows has no such modes.
  if (process.platform !== "win32" && (statSync(file).mode & 0o077) !== 0)
    throw new Error(`Other users may read ${file}. Run chmod 600 ${file}.`);
  const key = readFileSync(file, "utf8").trim();
  if (key === "") throw new Error(`${file} contains no key.`);
  return key;
}

/**
 * Returns the key that a command sends to the API: that of `--key-file`, of `VICINITY_KEY`, or what the user types.
 * `--key` accepts the development keys only. Throws if there is no key, with a text that says how to give it.
 */
export async function keyFrom(sources: KeySources): Promise<string> {
  const { values, environment, isInteractive, ask, fallback } = sources;
  if (values.key !== undefined && values["key-file"] !== undefined)
    throw new Error("Give --key or --key-file, not both.");
  if (values.key !== undefined) {
    if (developmentKeys.includes(values.key)) return values.key;
    throw new Error(
      `--key accepts the development keys only, because everybody on this machine can see the arguments of a command. ${waysToGive}`,
    );
  }
  if (values["key-file"] !== undefined) return keyInFile(values["key-file"]);
  const key = environment.VICINITY_KEY?.trim() || fallback || (isInteractive ? await ask("Admin key: ") : "");
  if (key === "") throw new Error(`No key was given. ${waysToGive}`);
  return key;
}

/** Returns the key for the API; prints the reason and ends the process if there is none. */
export const readKeyOrExit = (
  values: { key?: string; "key-file"?: string },
  fallback: string | null = null,
): Promise<string> =>
  keyFrom({
    values,
    environment: process.env,
    isInteractive: process.stdin.isTTY === true,
    ask: askSecret,
    fallback,
  }).catch((error: unknown) => exitWithError(error instanceof Error ? error.message : String(error)));
