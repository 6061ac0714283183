// The only script that may meet any Node and no node_modules: it checks, installs, and hands over to the
// project's own Node, which runs TypeScript as it is.
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
  stop(`Vicinity needs Node 20 or newer; this is ${process.versions.node}.`);
if (!script) stop("Usage: node scripts/bootstrap.mjs start|test [options]");

/** npm's own record of what it installed: older than the manifest means out of date. */
function installed() {
  const record = join(root, "node_modules/.package-lock.json");
  const node = join(root, "node_modules/.bin/node");
  if (!existsSync(record) || !existsSync(node)) return false;
  const wanted = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const present = JSON.parse(readFileSync(record, "utf8")).packages;
  return (
    statSync(record).size > 0 &&
    Object.entries({ ...wanted.dependencies, ...wanted.devDependencies }).every(
      ([name, version]) => present[`node_modules/${name}`]?.version === version,
    )
  );
}

if (!installed()) {
  console.log("Installing dependencies (once) ...");
  const npm = spawnSync("npm", ["install", "--no-progress", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    shell: process.platform === "win32",
  });
  if (npm.status !== 0 || !installed()) stop("npm install failed; see the lines above.");
}

const child = spawn(join(root, "node_modules/.bin/node"), [join(root, script), ...args], {
  stdio: "inherit",
  env: { ...process.env, PATH: `${join(root, "node_modules/.bin")}:${process.env.PATH}` },
});
// A terminal's Ctrl-C reaches the child by itself; a signal to this process alone must be passed on.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
