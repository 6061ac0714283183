import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { exitWithError, parseOrExit } from "../../model/cli/options.ts";
import { root } from "../workers.ts";

/** Options of `npm start` and `npm run dev`. */
export interface StartOptions {
  port: number;
  /** Directory that keeps databases, Durable Objects, queues and buckets between runs. */
  stateDir: string;
  /** Folder of a RecBole dataset; null for the demo marketplace. */
  dataDir: string | null;
  trainingEffort: "quick" | "full";
}

/**
 * Returns the port of the environment variable `PORT`, 8787 by default. An invalid port ends the process with an error.
 */
export function parsePort({ PORT }: NodeJS.ProcessEnv): number {
  const port = Number(PORT ?? 8787);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    exitWithError(`PORT must be a whole number from 1 to 65535; got "${PORT}".`);
  return port;
}

/** Parses arguments and environment. An invalid option ends the process with an error. */
export function parseStartOptions(args: string[], environment: NodeJS.ProcessEnv): StartOptions {
  const { values } = parseOrExit(
    () => parseArgs({ args, options: { data: { type: "string" }, train: { type: "string" } } }),
    "Usage: npm start -- [--data DIR] [--train quick|full]",
  );
  const port = parsePort(environment);
  const train = values.train ?? "quick";
  if (train !== "quick" && train !== "full")
    exitWithError(`--train must be "quick" or "full"; got "${train}".`);
  return {
    port,
    stateDir: resolve(environment.STATE_DIR ?? join(root, ".state")),
    dataDir: values.data === undefined ? null : resolveDatasetFolder(values.data),
    trainingEffort: train,
  };
}

/** Returns a dataset's folder as an absolute path. Ends the process if there is no dataset in it. */
export function resolveDatasetFolder(path: string): string {
  const folder = resolve(path);
  if (!existsSync(folder))
    exitWithError(`The folder ${path} does not exist. --data must name the folder of a RecBole dataset.`);
  if (!readdirSync(folder).some((file) => file.endsWith(".inter")))
    exitWithError(`${path} contains no RecBole dataset: it must have a file NAME.inter or NAME.train.inter.`);
  return folder;
}
