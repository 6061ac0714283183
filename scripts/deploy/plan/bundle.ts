import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { root } from "../../workers.ts";
import type { Account } from "../account/account.ts";
import type { ConfiguredWorker } from "../account/resources.ts";

/** A worker's code as it would be uploaded. */
export interface Bundle {
  /** Name of the version that this code and configuration make. Equal code and settings have equal tags. */
  tag: string;
  /** Sizes as wrangler prints them, for example `1.2 MiB, compressed 300 KiB`. */
  size: string;
}

/** Parts of a configuration that make no other version: ids follow from names, and migrations are applied once. */
function versionedConfiguration({ configuration }: ConfiguredWorker): string {
  const { migrations: _migrations, account_id: _account, ...rest } = configuration;
  return JSON.stringify({
    ...rest,
    d1_databases: rest.d1_databases?.map(({ database_id: _id, ...each }) => each),
    kv_namespaces: rest.kv_namespaces?.map(({ id: _id, ...each }) => each),
  });
}

/** Returns the files of a folder and its sub-folders, relative to it, by alphabet. */
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();

/**
 * Bundles a worker as its deployment would, without network, and returns the tag of its version. `file` is the written
 * configuration.
 */
export async function bundleWorker(
  account: Account,
  worker: ConfiguredWorker,
  file: string,
): Promise<Bundle> {
  const folder = mkdtempSync(join(tmpdir(), "vicinity-bundle-"));
  try {
    const output = await account.runOrThrow(["deploy", "--dry-run", "--outdir", folder, "-c", file]);
    const hash = createHash("sha256").update(versionedConfiguration(worker));
    const add = (directory: string, names: readonly string[]) => {
      for (const name of names) hash.update(`\0${name}\0`).update(readFileSync(join(directory, name)));
    };
    // Wrangler's note on the folder has the time, and a source map is no part of what runs.
    add(
      folder,
      filesIn(folder).filter((name) => name !== "README.md" && !name.endsWith(".map")),
    );
    const assets = worker.configuration.assets?.directory;
    if (assets !== undefined) {
      const directory = join(root, dirname(worker.config), assets);
      add(directory, filesIn(directory));
    }
    const [, size, compressed] = /Total Upload: (.*?) \/ gzip: (.*)/.exec(output) ?? [];
    return {
      tag: `vic-${hash.digest("hex").slice(0, 16)}`,
      size: size === undefined ? "static files" : `${size}, compressed ${compressed}`,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
