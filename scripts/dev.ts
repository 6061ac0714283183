// `npm run dev`: runs `wrangler dev` with all workers in the foreground, for development.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { clearInterval, setInterval } from "node:timers";
import { exitWithError } from "../model/cli/options.ts";
import { migrateLocalDatabases } from "./databases/migrate.ts";
import { devArguments, devEnvironment } from "./start/dev-arguments.ts";
import { formerObjectsText, hasFormerObjects } from "./start/former-objects.ts";
import { parseStartOptions } from "./start/options.ts";
import { startLocalProxy } from "./start/start-proxy.ts";
import { lockState } from "./start/state-lock.ts";
import { root } from "./workers.ts";
import { localTracesOff } from "./wrangler.ts";

/** Milliseconds between two looks at which processes wrangler has started, so that a later command can end them. */
const recordIntervalMs = 5000;

if (process.argv.length > 2)
  exitWithError(
    "`npm run dev` takes no options: it serves the state that `npm start` made. Import data first, for example: npm start -- --data PATH",
  );
const { port, stateDir } = parseStartOptions([], process.env);
if (hasFormerObjects(stateDir)) exitWithError(formerObjectsText(stateDir));
const lock = await lockState(stateDir).catch((error) => exitWithError(error.message));
await migrateLocalDatabases(stateDir);
const proxy = await startLocalProxy(port);
console.log(
  `Vicinity will answer at http://localhost:${port}; the port that wrangler prints refuses the development keys.`,
);
const child = spawn(
  process.execPath,
  [join(root, "node_modules/wrangler/bin/wrangler.js"), ...devArguments(proxy.port, stateDir, proxy.secret)],
  {
    cwd: root,
    stdio: "inherit",
    env: {
      ...localTracesOff,
      ...process.env,
      ...devEnvironment(stateDir),
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
    },
  },
);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
const recording = setInterval(lock.recordChildren, recordIntervalMs);
child.on("exit", (code) => {
  clearInterval(recording);
  lock.release();
  process.exit(code ?? 1);
});
