import { existsSync } from "node:fs";
import type { Dataset } from "../data/dataset.ts";
import { readDataset } from "../data/read.node.ts";

/** Ends the process with one line for people. */
export function stop(line: string): never {
  console.error(line);
  process.exit(1);
}

/** What `parse` returns; where it throws, the command ends with the reason and how it is used. */
export function options<T>(parse: () => T, usage: string): T {
  try {
    return parse();
  } catch (error) {
    return stop(`${error instanceof Error ? error.message.split("\n")[0] : error}\n${usage}`);
  }
}

/** An option that is a whole number, at least `least`; the command ends where it is none. */
export function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < least)
    stop(`--${name} is a whole number of at least ${least}, not "${text}".`);
  return value;
}

/** The dataset in a folder, with its refused rows told; the command ends where there is none. */
export function datasetIn(folder: string): Dataset {
  if (!existsSync(folder)) stop(`There is no folder ${folder}.`);
  let dataset: Dataset;
  try {
    dataset = readDataset(folder);
  } catch (error) {
    return stop(`${folder} holds no dataset: ${error instanceof Error ? error.message : error}.`);
  }
  for (const problem of dataset.problems) console.log(problem);
  if (dataset.refused > 0) console.log(`${dataset.refused} rows were refused.`);
  return dataset;
}
