import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { LocalProxyTarget } from "./local-proxy.ts";

/** Returns a port of this machine that is free at the moment. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("This machine has no free port.");
  return address.port;
}

/**
 * Starts the local proxy on a port, in a thread of this process. Returns the port that `wrangler dev` must listen on, and
 * the secret that the gateway must know. Throws if the port is in use.
 */
export async function startLocalProxy(publicPort: number): Promise<LocalProxyTarget> {
  const target = { port: await freePort(), secret: randomBytes(32).toString("hex") };
  const thread = new Worker(join(import.meta.dirname, "proxy-thread.ts"), {
    workerData: { publicPort, target },
  });
  await once(thread, "message");
  return target;
}
