import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { exitWithError } from "../terminal/terminal.ts";
import { root } from "../workers.ts";

/** What `npm start` was asked for. */
export interface StartOptions {
  port: number;
  /** Where databases, objects, queues' senders and files live between runs. */
  stateDir: string;
  /** Folder of a RecBole dataset, or null for the demo marketplace. */
  dataDir: string | null;
  trainingEffort: "quick" | "full";
}

/** Where `npm start` listens and others ask: `PORT`; one that is none ends the process with one line. */
export function parsePort({ PORT }: NodeJS.ProcessEnv): number {
  const port = Number(PORT ?? 8787);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    exitWithError(`PORT must be a port number, not "${PORT}".`);
  return port;
}

/** Parses arguments and environment; a mistake ends the process with one line. */
export function parseStartOptions(args: string[], environment: NodeJS.ProcessEnv): StartOptions {
  let values: { data?: string; train?: string };
  try {
    ({ values } = parseArgs({ args, options: { data: { type: "string" }, train: { type: "string" } } }));
  } catch (error) {
    exitWithError(
      `${error instanceof Error ? error.message.split("\n")[0] : error} Usage: npm start -- [--data DIR] [--train quick|full]`,
    );
  }
  const port = parsePort(environment);
  const train = values.train ?? "quick";
  if (train !== "quick" && train !== "full") exitWithError(`--train is "quick" or "full", not "${train}".`);
  return {
    port,
    stateDir: resolve(environment.STATE_DIR ?? join(root, ".state")),
    dataDir: values.data === undefined ? null : resolveDatasetFolder(values.data),
    trainingEffort: train,
  };
}

/** The folder of a dataset, resolved; ends the process where it holds none. */
export function resolveDatasetFolder(path: string): string {
  const folder = resolve(path);
  if (!existsSync(folder)) exitWithError(`There is no folder ${path}.`);
  if (!readdirSync(folder).some((file) => file.endsWith(".inter")))
    exitWithError(`${path} holds no dataset: a RecBole dataset has a file NAME.inter (or NAME.train.inter).`);
  return folder;
}
