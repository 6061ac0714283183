import { existsSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { exitWithError, parseOrExit } from "../../model/cli/options.ts";
import type { ReadOptions } from "../../model/data/read-files.ts";
import { isDatasetFile } from "../../model/data/select-files.ts";
import { importArguments, importUsage, parseImportArguments } from "../marketplace/import-arguments.ts";
import type { TimePolicy } from "../marketplace/read-marketplace.ts";
import { root } from "../workers.ts";

/** Options of `npm start` and `npm run dev`. */
export interface StartOptions {
  port: number;
  /** Directory that keeps databases, Durable Objects, queues and buckets between runs. */
  stateDir: string;
  /** Folder or file of a dataset; null for the demo marketplace. */
  dataDir: string | null;
  /** How the dataset is read. */
  read: ReadOptions;
  times: TimePolicy;
  trainingEffort: "quick" | "full";
  /** Whether the server starts without a dataset. */
  empty: boolean;
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

/** Returns the directory of the local state: that of the environment variable `STATE_DIR`, `.state` by default. */
export const stateDirectory = ({ STATE_DIR }: NodeJS.ProcessEnv): string =>
  resolve(STATE_DIR ?? join(root, ".state"));

/** Parses arguments and environment. An invalid option ends the process with an error. */
export function parseStartOptions(args: string[], environment: NodeJS.ProcessEnv): StartOptions {
  const { values, options } = parseOrExit(() => {
    const parsed = parseArgs({
      args,
      options: {
        data: { type: "string" },
        train: { type: "string" },
        empty: { type: "boolean", default: false },
        ...importArguments,
      },
    }).values;
    return { values: parsed, options: parseImportArguments(parsed) };
  }, `Usage: npm start -- [--empty | --data PATH [--train quick|full]] ${importUsage}`);
  const port = parsePort(environment);
  const train = values.train ?? "quick";
  if (train !== "quick" && train !== "full")
    exitWithError(`--train must be "quick" or "full"; got "${train}".`);
  if (values.empty && values.data !== undefined)
    exitWithError("--empty starts without a dataset, so it cannot be combined with --data.");
  return {
    port,
    stateDir: stateDirectory(environment),
    dataDir: values.data === undefined ? null : resolveDataset(values.data),
    read: options.read,
    times: options.times,
    trainingEffort: train,
    empty: values.empty,
  };
}

/** Returns a dataset's path as an absolute path. Ends the process if there is no dataset. */
export function resolveDataset(path: string): string {
  const absolute = resolve(path);
  if (!existsSync(absolute))
    exitWithError(
      `The folder ${path} does not exist. --data must name the folder of a dataset, or one file of events.`,
    );
  if (statSync(absolute).isDirectory() && !readdirSync(absolute).some(isDatasetFile))
    exitWithError(
      `${path} contains no dataset: it must have a file NAME.inter or NAME.train.inter, or CSV files with a header.`,
    );
  return absolute;
}
