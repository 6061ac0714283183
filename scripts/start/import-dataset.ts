import type { ApiTarget } from "../api/send-with-retries.ts";
import { ProgressLine } from "../terminal/progress-line.ts";
import type { DatasetReader } from "./dataset-reader.ts";

/** Imports a dataset into a running server, shows the progress, and returns when queries find its products. */
export async function importDataset(read: DatasetReader, target: ApiTarget): Promise<void> {
  const importing = new ProgressLine("Import products and events");
  const { rejected, lines } = await read.import(target, (detail) => importing.update(detail));
  importing.done(rejected === 0 ? "all rows accepted" : `${rejected} rows rejected`);
  for (const line of lines) console.log(`    ${line}`);
}
