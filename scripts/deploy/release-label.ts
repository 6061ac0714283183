import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../workers.ts";

const git = (...args: string[]): string | null => {
  const { status, stdout } = spawnSync("git", args, { cwd: root, encoding: "utf8" });
  return status === 0 ? stdout.trim() : null;
};

/**
 * Returns what this release is called: the version of package.json, and the commit if the folder is a clone, for example
 * `vicinity 0.3.0 906526b`. A `+` says that files differ from the commit.
 */
export function releaseLabel(): string {
  const { name, version }: { name: string; version: string } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  );
  const commit = git("rev-parse", "--short=7", "HEAD");
  const changed = commit !== null && git("status", "--porcelain") !== "" ? "+" : "";
  return [name, version, commit === null ? "" : commit + changed].join(" ").trim();
}
