// Every test in its short form: `npm test` (or the long forms: `npm run test:long`).
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "./workers.ts";
import { withoutTraces } from "./wrangler.ts";

const args = process.argv.slice(2);
const long = args.includes("--long");
const run = spawnSync(
  process.execPath,
  [join(root, "node_modules/vitest/vitest.mjs"), "run", ...args.filter((each) => each !== "--long")],
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
