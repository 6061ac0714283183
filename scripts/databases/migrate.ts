import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { developmentMarker } from "../start/state-secrets.ts";
import { root } from "../workers.ts";

/**
 * Returns a hash of everything that determines the databases' content: the migrations, the city list's source and the
 * marker of the state.
 */
function fingerprint(marker: string): string {
  const hash = createHash("sha256").update(marker);
  const folder = join(root, "migrations");
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort())
    if (file.endsWith(".sql")) hash.update(file).update(readFileSync(join(folder, file)));
  hash.update(readFileSync(join(root, "scripts/databases/cities.ts")));
  return hash.digest("hex");
}

const execute = promisify(execFile);

/**
 * Migrates the local databases, fills the `cities` table and marks the state as made by a local command. Does nothing if
 * the state directory records that exactly these migrations were applied. Returns whether anything was applied. The work
 * runs in a process of its own, whose memory a server need not keep.
 */
export async function migrateLocalDatabases(stateDir: string): Promise<boolean> {
  mkdirSync(stateDir, { recursive: true });
  const fingerprintFile = join(stateDir, "migrated");
  const current = fingerprint(developmentMarker(stateDir));
  if (existsSync(fingerprintFile) && readFileSync(fingerprintFile, "utf8") === current) return false;
  await execute(process.execPath, [join(import.meta.dirname, "apply-migrations.ts"), stateDir], {
    cwd: root,
  });
  writeFileSync(fingerprintFile, current);
  return true;
}
