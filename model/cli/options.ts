import { existsSync } from "node:fs";
import type { Dataset } from "../data/dataset.ts";
import { readDatasetWithReport } from "../data/read-dataset.node.ts";
import type { ReadDataset } from "../data/read-files.ts";
import { parseReadArguments, type ReadArguments } from "./read-arguments.ts";

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
 * Reads the dataset at a path with the options of the command line, and prints what was assumed and which rows were
 * refused. Without a dataset or with a wrong option, prints an error and ends the process.
 */
export function loadDataset(folder: string, values: ReadArguments = {}): Dataset {
  if (!existsSync(folder)) exitWithError(`The folder ${folder} does not exist.`);
  let found: ReadDataset;
  try {
    found = readDatasetWithReport(folder, parseReadArguments(values));
  } catch (error) {
    return exitWithError(
      `Cannot read a dataset from ${folder}: ${error instanceof Error ? error.message : error}`,
    );
  }
  const { dataset, report } = found;
  for (const guess of report.guessed) console.log(`guessed: ${guess}`);
  for (const { file, line, column, value, reason } of report.firstAbsent)
    console.log(`${file}, line ${line}, ${column}: ${JSON.stringify(value)} ${reason}`);
  if (report.absentValues > 0) console.log(`values left out: ${report.absentValues}`);
  for (const problem of dataset.problems) console.log(problem);
  if (dataset.rejectedRows > 0) console.log(`rows refused: ${dataset.rejectedRows}`);
  return dataset;
}
