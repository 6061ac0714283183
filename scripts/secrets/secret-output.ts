import { closeSync, existsSync, openSync, rmSync, writeFileSync } from "node:fs";

/** Where a command writes a secret that it creates. */
export interface SecretOutput {
  /** Writes the secret, and returns a line for the terminal that says where it is. */
  write(secret: string): string;
  /** Removes the file that this output created, since no secret was made. */
  discard(): void;
}

/** What decides where a secret may be written. */
export interface OutputConditions {
  /** File of `--key-file`; undefined if none is given. */
  file: string | undefined;
  /** Whether a user sees the standard output, and nothing records it. */
  isTerminal: boolean;
  environment: NodeJS.ProcessEnv;
}

/** Returns whether the standard output of a process is a terminal, and not the log of a pipeline. */
const showsToUser = ({ isTerminal, environment }: OutputConditions): boolean =>
  isTerminal && (environment.CI ?? "") === "";

/**
 * Returns where to write a secret: to a new file that only its owner may read, or to the terminal. Throws if the file
 * exists, or if the output would end in a log. Call it before the secret is made, so that none is lost.
 */
export function openSecretOutput(conditions: OutputConditions): SecretOutput {
  const { file } = conditions;
  if (file === undefined) {
    if (!showsToUser(conditions))
      throw new Error(
        "This is not a terminal, and a log would keep the secret. Name a new file for it: --key-file FILE",
      );
    return {
      write: (secret) => `${secret}\nStore it now: it is not shown again.`,
      discard: () => undefined,
    };
  }
  if (existsSync(file)) throw new Error(`${file} exists already. Name a new file: --key-file FILE`);
  // `wx` fails if another process has created the file meanwhile.
  closeSync(openSync(file, "wx", 0o600));
  return {
    write: (secret) => {
      writeFileSync(file, `${secret}\n`);
      return `written to ${file}, which only you may read`;
    },
    discard: () => rmSync(file, { force: true }),
  };
}

/** Returns the conditions of this process. */
export const outputConditions = (file: string | undefined): OutputConditions => ({
  file,
  isTerminal: process.stdout.isTTY === true,
  environment: process.env,
});
