import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Returns a secret of the state directory. The first call creates the file, which only its owner may read. */
export function secretIn(stateDir: string, name: string): string {
  const file = join(stateDir, name);
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString("hex"), { mode: 0o600 });
  return readFileSync(file, "utf8");
}

/**
 * Returns the marker of a local state. The local gateway database holds the same one, and the gateway accepts the
 * development keys only if both are equal.
 */
export const developmentMarker = (stateDir: string): string => secretIn(stateDir, "development-marker");
