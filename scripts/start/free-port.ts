import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** Returns whether a port of this machine is free. */
export function portIsFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** Milliseconds that the system may take to free the port of a process that was killed. */
const freedWithinMs = 3000;

/** Returns whether a port of this machine is free, or becomes free within three seconds. */
export async function portBecomesFree(port: number): Promise<boolean> {
  for (const deadline = Date.now() + freedWithinMs; ; await sleep(100)) {
    if (await portIsFree(port)) return true;
    if (Date.now() > deadline) return false;
  }
}

/** Returns a port of this machine that is free at the moment. Throws if there is none. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address
          ? resolve(address.port)
          : reject(new Error("This machine has no free port.")),
      );
    });
  });
}
