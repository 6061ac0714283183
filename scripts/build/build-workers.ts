import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { promisify } from "node:util";
import { mapConcurrent } from "../../shared/async/map-concurrent.ts";
import { pagesConfig, root, workers } from "../workers.ts";
import { runWrangler } from "../wrangler.ts";
import {
  type BuildRecord,
  type BuiltWorker,
  buildDirectory,
  type LocalWorkerOptions,
} from "./built-worker.ts";
import { hashOfInputs } from "./input-hash.ts";

/** Builds that run at once: each takes one processor core for some seconds. */
const concurrentBuilds = 2;

const recordFile = "build.json";
const pagesName = "pages";

/** Returns the record of a worker's last build; null if there is none that this version can read. */
function readRecord(folder: string): BuildRecord | null {
  try {
    const record: BuildRecord = JSON.parse(readFileSync(join(folder, recordFile), "utf8"));
    return Array.isArray(record.inputs) && record.options ? record : null;
  } catch {
    return null;
  }
}

const execute = promisify(execFile);

/** Returns the options that wrangler derives from a configuration. They hold no secret, since a file keeps them. */
async function readOptions(config: string): Promise<LocalWorkerOptions> {
  const script = join(import.meta.dirname, "print-worker-options.ts");
  const { stdout } = await execute(process.execPath, [script, config], { cwd: root });
  return JSON.parse(stdout.slice(stdout.indexOf("{")));
}

/** Returns the source files that esbuild's metafile lists, relative to the project's folder. */
function inputsIn(metafile: string, config: string): string[] {
  const { inputs }: { inputs: Record<string, unknown> } = JSON.parse(readFileSync(metafile, "utf8"));
  const base = dirname(join(root, config));
  return Object.keys(inputs)
    .map((path) => relative(root, resolve(base, path)))
    .filter((path) => existsSync(join(root, path)))
    .sort();
}

/**
 * Bundles one worker with wrangler, as `npm run deploy` does, into its folder of {@link buildDirectory}. The folder
 * appears at once with its record, so that an interrupted build leaves nothing that the next start would believe.
 */
async function buildWorker(name: string, config: string, hasCode: boolean): Promise<BuiltWorker> {
  const folder = join(buildDirectory, name);
  const unfinished = `${folder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  let inputs: string[] = [];
  if (hasCode) {
    const metafile = join(unfinished, "inputs.json");
    const { code, output } = await runWrangler([
      "deploy",
      "--dry-run",
      "--outdir",
      unfinished,
      "--metafile",
      metafile,
      "-c",
      config,
    ]);
    if (code !== 0) throw new Error(`The worker ${name} cannot be built:\n${output.trim()}`);
    inputs = inputsIn(metafile, config);
    rmSync(metafile);
  } else writeFileSync(join(unfinished, "index.js"), "export default {};\n");
  const hash = hashOfInputs(config, inputs);
  if (hash === null) throw new Error(`A source file of the worker ${name} was removed while it was built.`);
  const record: BuildRecord = { hash, inputs, options: await readOptions(config) };
  writeFileSync(join(unfinished, recordFile), JSON.stringify(record));
  rmSync(folder, { recursive: true, force: true });
  renameSync(unfinished, folder);
  return { name, folder, options: record.options };
}

/** Returns a worker's last build if all of its inputs are still the same; null otherwise. */
function reuseBuild(name: string, config: string): BuiltWorker | null {
  const folder = join(buildDirectory, name);
  const record = readRecord(folder);
  if (record === null || hashOfInputs(config, record.inputs) !== record.hash) return null;
  return { name, folder, options: record.options };
}

/** All workers, built, and how many of them had to be built anew. */
export interface Build {
  workers: BuiltWorker[];
  built: number;
}

/**
 * Builds all workers and the configuration of the static pages. A worker is built anew only if one of its inputs has
 * changed. Calls `onProgress` with the name of a worker when its build starts. Throws with wrangler's output if a build
 * fails.
 */
export async function buildWorkers(onProgress: (name: string) => void): Promise<Build> {
  const all = [
    ...workers.map(({ name, config }) => ({ name, config, hasCode: true })),
    { name: pagesName, config: pagesConfig, hasCode: false },
  ];
  let built = 0;
  const ready = new Map<string, BuiltWorker>();
  await mapConcurrent(concurrentBuilds, all, async ({ name, config, hasCode }) => {
    const reused = reuseBuild(name, config);
    if (!reused) {
      built++;
      onProgress(name);
    }
    ready.set(name, reused ?? (await buildWorker(name, config, hasCode)));
  });
  return { workers: all.flatMap(({ name }) => ready.get(name) ?? []), built };
}
