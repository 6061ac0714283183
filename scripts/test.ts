// Runs the tests. Without options: every test in its short form.
//   --unit   the unit tests alone, in Node
//   --watch  run again whenever a file changes
//   --long   the long forms, one file at a time: each of them loads a machine by itself
// All other arguments go to vitest: names of files, `-t "part of a test's name"`.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "./workers.ts";
import { localTracesOff } from "./wrangler.ts";

const options = new Set(["--unit", "--watch", "--long"]);
const chosen = new Set(process.argv.slice(2).filter((each) => options.has(each)));
const rest = process.argv.slice(2).filter((each) => !options.has(each));

const long = chosen.has("--long");
// Most files start workers of their own and wait for them, so two run at a time, whatever the machine.
const workers = `--maxWorkers=${long ? 1 : 2}`;
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
