import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { freePort } from "./free-port.ts";
import type { LocalProxyTarget } from "./local-proxy.ts";

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
