import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Dataset } from "./dataset.ts";
import { type ReadDataset, type ReadOptions, readFiles } from "./read-files.ts";
import type { SourceFile } from "./table-file.ts";

/** Bytes that are read from a file at once. */
const chunkBytes = 1 << 20;

/** Yields the bytes of a file in order. */
function* chunksOfFile(path: string): Generator<Uint8Array> {
  const file = openSync(path, "r");
  try {
    for (;;) {
      const chunk = new Uint8Array(chunkBytes);
      const length = readSync(file, chunk, 0, chunkBytes, null);
      if (length === 0) return;
      yield chunk.subarray(0, length);
    }
  } finally {
    closeSync(file);
  }
}

/** Returns the files at a path: one file, or those of a folder. */
export function datasetFiles(path: string): { folder: string; files: SourceFile[] } {
  const isFile = statSync(path).isFile();
  const folder = isFile ? dirname(path) : path;
  const entries = isFile ? [] : readdirSync(path, { withFileTypes: true });
  const names = isFile
    ? [basename(path)]
    : entries.filter((each) => !each.isDirectory()).map(({ name }) => name);
  return { folder, files: names.map((name) => ({ name, chunks: () => chunksOfFile(join(folder, name)) })) };
}

/** Reads the dataset at a path, a folder or one file, with a report. Throws if there is none. */
export const readDatasetWithReport = (path: string, options: ReadOptions = {}): ReadDataset =>
  readFiles(datasetFiles(path).files, { now: Date.now() / 1000, ...options });

/** Reads the dataset at a path. Throws if there is none. */
export const readDataset = (path: string, options: ReadOptions = {}): Dataset =>
  readDatasetWithReport(path, options).dataset;
