import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Dataset } from "./dataset.ts";
import { parseDataset } from "./recbole.ts";

/** Reads the dataset in a folder. Throws if the folder holds none. */
export function readDataset(folder: string): Dataset {
  const names = readdirSync(folder).filter((name) => /\.(inter|item)$/.test(name));
  return parseDataset(names.map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") })));
}
