// Every test in its short form: `npm test` (or the long forms: `npm run test:long`).
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "./workers.ts";
import { withoutTraces } from "./wrangler.ts";

const args = process.argv.slice(2);
const long = args.includes("--long");
// Many files start workers of their own and mostly wait for them: two at a time, whatever the machine. Long forms load a
// machine each by itself.
const atOnce = `--maxWorkers=${long ? 1 : 2}`;
const run = spawnSync(
  process.execPath,
  [join(root, "node_modules/vitest/vitest.mjs"), "run", atOnce, ...args.filter((each) => each !== "--long")],
  {
    cwd: root,
    stdio: "inherit",
    env: {
      ...withoutTraces,
      ...process.env,
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
      WRANGLER_SEND_METRICS: "false",
      ...(long ? { VICINITY_LONG: "1" } : {}),
    },
  },
);
process.exit(run.status ?? 1);
