import { rmSync } from "node:fs";
import { join } from "node:path";
import { demoMarketplace } from "../../../scripts/marketplace/read-marketplace.ts";
import { freePort } from "../../../scripts/start/free-port.ts";
import { root } from "../../../scripts/workers.ts";
import { type RequestSources, sourcesOf } from "../../beside/request-sources.ts";
import { type LoadRequest, statusFailure } from "../../load/requests.ts";
import { StartedServer } from "../../load/started-server.ts";

/** State of the server, on disk. It is made anew by each run. */
const stateDir = join(root, ".wrangler", "bench-as-started");
/** Items of each list. */
const items = 10;

/** What `npm start` serves, with its state on disk and the demo's data. */
export interface StartedDemo {
  server: StartedServer;
  url: string;
  /** Users, places and products of the demo. */
  sources: RequestSources;
  /** Milliseconds of the first start until everything was ready, the import of the demo included. */
  firstStartMs: number;
}

/** Returns a request that has a good answer once everything is ready. */
const readyRequest = (): LoadRequest => ({
  method: "GET",
  path: "/readyz",
  headers: {},
  failure: (status, text) => statusFailure(200, status, text),
});

/** Starts what `npm start` starts, with an empty state, calls `work` with it, and ends it. */
export async function withStartedDemo(work: (demo: StartedDemo) => Promise<void>): Promise<void> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const command = `cd "${root}" && exec "${process.execPath}" scripts/start.ts`;
  const server = new StartedServer(command, url, { ...process.env, PORT: String(port), STATE_DIR: stateDir });
  rmSync(stateDir, { recursive: true, force: true });
  try {
    const firstStartMs = await server.start(readyRequest);
    const run = `as-started-${Date.now().toString(36)}`;
    const { marketplace } = demoMarketplace(Date.now() / 1000);
    await work({ server, url, sources: sourcesOf(marketplace, run, items), firstStartMs });
  } finally {
    await server.stop();
    rmSync(stateDir, { recursive: true, force: true });
  }
}
