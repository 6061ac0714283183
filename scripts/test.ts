// Runs the tests; without options, every test in its short form.
//   --unit   runs the unit tests only, in Node
//   --watch  runs the tests again when a file changes
//   --long   runs the long forms of the tests, one file at a time, since each uses the whole machine
// Passes all other arguments to vitest: names of files, `-t "part of a test's title"`.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "./workers.ts";
import { localTracesOff } from "./wrangler.ts";

const options = new Set(["--unit", "--watch", "--long"]);
const chosen = new Set(process.argv.slice(2).filter((each) => options.has(each)));
const rest = process.argv.slice(2).filter((each) => !options.has(each));

const long = chosen.has("--long");
// Most test files start their own workers and wait for them, so three files run at a time on every machine.
const workers = `--maxWorkers=${long ? 1 : 3}`;
const run = spawnSync(
  process.execPath,
  [
    join(root, "node_modules/vitest/vitest.mjs"),
    chosen.has("--watch") ? "watch" : "run",
    workers,
    ...(chosen.has("--unit") ? ["--project", "units"] : []),
    ...rest,
  ],
  {
    cwd: root,
    stdio: "inherit",
    env: {
      ...localTracesOff,
      ...process.env,
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
      WRANGLER_SEND_METRICS: "false",
      ...(long ? { VICINITY_LONG: "1" } : {}),
    },
  },
);
process.exit(run.status ?? 1);
