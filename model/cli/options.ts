import { existsSync } from "node:fs";
import type { Dataset } from "../data/dataset.ts";
import { readDataset } from "../data/read-dataset.node.ts";

/** Prints an error to the terminal and ends the process with status 1. */
export function exitWithError(line: string): never {
  console.error(line);
  process.exit(1);
}

/** Returns the result of `parse`. If it throws, prints the reason and the usage, and ends the process. */
export function parseOrExit<T>(parse: () => T, usage: string): T {
  try {
    return parse();
  } catch (error) {
    return exitWithError(`${error instanceof Error ? error.message.split("\n")[0] : error}\n${usage}`);
  }
}

/**
 * Returns a command-line option as a whole number of at least `min`; otherwise prints an error and ends the process.
 */
export function parseWholeNumber(name: string, text: string, min: number): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < min)
    exitWithError(`--${name} must be a whole number of at least ${min}; got "${text}".`);
  return value;
}

/**
 * Reads the dataset in a folder and prints its rejected rows; without a dataset prints an error and ends the process.
 */
export function loadDataset(folder: string): Dataset {
  if (!existsSync(folder)) exitWithError(`The folder ${folder} does not exist.`);
  let dataset: Dataset;
  try {
    dataset = readDataset(folder);
  } catch (error) {
    return exitWithError(
      `Cannot read a dataset from ${folder}: ${error instanceof Error ? error.message : error}`,
    );
  }
  for (const problem of dataset.problems) console.log(problem);
  if (dataset.rejectedRows > 0) console.log(`${dataset.rejectedRows} rows were rejected.`);
  return dataset;
}
