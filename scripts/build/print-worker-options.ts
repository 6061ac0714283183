// Prints, as JSON, the options for the local runtime that wrangler derives from a configuration. It runs in a process of
// its own, since wrangler takes 200 MB of memory that a server would keep. The variables are those of the configuration
// alone: wrangler would add secrets from the environment and from `.dev.vars`.
import {
  unstable_readConfig as readConfig,
  unstable_getMiniflareWorkerOptions as workerOptionsOf,
} from "wrangler";

const [config] = process.argv.slice(2);
const { modulesRules: _rules, ...options } = workerOptionsOf(config).workerOptions;
process.stdout.write(JSON.stringify({ ...options, bindings: readConfig({ config }).vars }));
