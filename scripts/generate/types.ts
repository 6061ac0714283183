// `npm run types`: generates each worker's `worker-configuration.d.ts` from its wrangler.toml. `--check` changes no
// file and fails if one is out of date.
import { configArguments, type WorkerConfig, workerNamed, workers } from "../workers.ts";
import { runWrangler } from "../wrangler.ts";

const check = process.argv.includes("--check");

/** Generates or checks a worker's types. Returns an error text, or null if there is no error. */
async function generateTypes(worker: WorkerConfig): Promise<string | null> {
  const target = `${worker.folder}/worker-configuration.d.ts`;
  const { code, output } = await runWrangler([
    "types",
    target,
    "--include-runtime=false",
    "--env-interface",
    worker.envInterface,
    ...configArguments([worker.config, ...worker.callees.map((name) => workerNamed(name).config)]),
    ...(check ? ["--check"] : []),
  ]);
  if (code === 0) return null;
  return check ? `${target} does not match the configuration. Run npm run types.` : output;
}

const problems: string[] = [];
for (const worker of workers) {
  const problem = await generateTypes(worker);
  if (problem) problems.push(problem);
}
for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);
