// Runs before any dependency is installed and on any Node: checks the version of Node, installs the dependencies,
// then starts the script with the project's own Node, which runs TypeScript without a build.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [command, ...args] = process.argv.slice(2);
const script = { start: "scripts/start.ts", test: "scripts/test.ts" }[command];

function stop(line) {
  console.error(line);
  process.exit(1);
}

if (Number(process.versions.node.split(".")[0]) < 20)
  stop(
    `Vicinity needs Node 20 or newer to start; this is Node ${process.versions.node}. Install a newer Node.`,
  );
if (!script) stop("Usage: node scripts/bootstrap.mjs start|test [options]");

/** Returns whether npm has installed exactly the versions that package.json names. */
function dependenciesInstalled() {
  const lockFile = join(root, "node_modules/.package-lock.json");
  const node = join(root, "node_modules/.bin/node");
  if (!existsSync(lockFile) || !existsSync(node)) return false;
  const wanted = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const present = JSON.parse(readFileSync(lockFile, "utf8")).packages;
  return (
    statSync(lockFile).size > 0 &&
    Object.entries({ ...wanted.dependencies, ...wanted.devDependencies }).every(
      ([name, version]) => present[`node_modules/${name}`]?.version === version,
    )
  );
}

if (!dependenciesInstalled()) {
  console.log("Installing dependencies (only when package.json has changed) ...");
  const npm = spawnSync("npm", ["install", "--no-progress", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    shell: process.platform === "win32",
  });
  if (npm.status !== 0 || !dependenciesInstalled())
    stop("npm install failed. Fix the error above, then run the command again.");
}

const child = spawn(join(root, "node_modules/.bin/node"), [join(root, script), ...args], {
  stdio: "inherit",
  env: { ...process.env, PATH: `${join(root, "node_modules/.bin")}:${process.env.PATH}` },
});
// Ctrl-C in a terminal signals the child as well. A signal sent to this process alone does not, so pass it on.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
