// `npm run dev`: runs `wrangler dev` with all workers in the foreground, for development.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { migrateLocalDatabases } from "./databases/migrate.ts";
import { parseStartOptions } from "./start/options.ts";
import { devArguments, devEnvironment } from "./start/serve.ts";
import { startLocalProxy } from "./start/start-proxy.ts";
import { root } from "./workers.ts";
import { localTracesOff } from "./wrangler.ts";

const { port, stateDir } = parseStartOptions(process.argv.slice(2), process.env);
await migrateLocalDatabases(stateDir);
const proxy = await startLocalProxy(port);
console.log(
  `Vicinity will answer at http://localhost:${port}; the port that wrangler prints refuses the development keys.`,
);
const child = spawn(
  process.execPath,
  [
    join(root, "node_modules/wrangler/bin/wrangler.js"),
    ...devArguments(proxy.port, stateDir, { proxySecret: proxy.secret, initialImport: null }),
  ],
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
child.on("exit", (code) => process.exit(code ?? 1));
