// Generates each worker's `worker-configuration.d.ts` from its wrangler.toml; `--check` only compares.
import { configArguments, type WorkerConfig, workerNamed, workers } from "../workers.ts";
import { runWrangler } from "../wrangler.ts";

const check = process.argv.includes("--check");

/** What is wrong with a worker's generated types, or null. */
async function generate(place: WorkerConfig): Promise<string | null> {
  const target = `workers/${place.name}/worker-configuration.d.ts`;
  const { code, output } = await runWrangler([
    "types",
    target,
    "--include-runtime=false",
    "--env-interface",
    place.envInterface,
    ...configArguments([place.config, ...place.callees.map((name) => workerNamed(name).config)]),
    ...(check ? ["--check"] : []),
  ]);
  if (code === 0) return null;
  return check ? `${target} is out of date: run "npm run types".` : output;
}

const problems: string[] = [];
for (const place of workers) {
  const problem = await generate(place);
  if (problem) problems.push(problem);
}
for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);
