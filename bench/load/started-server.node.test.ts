import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { listDescendants } from "../../scripts/processes/list-processes.ts";
import { findListener, serverRoot, treeUsage } from "./process-tree.ts";
import { statusFailure } from "./requests.ts";
import { StartedServer } from "./started-server.ts";

/** Returns a port that is free now. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}

const request = () => ({
  method: "GET" as const,
  path: "/",
  headers: {},
  failure: (status: number, text: string) => statusFailure(200, status, text),
});
/** Returns a command with two processes: a shell, and below it a server that answers with its process id. */
const commandOf = (port: number): string =>
  `"${process.execPath}" -e 'require("http").createServer((q, a) => a.end(String(process.pid))).listen(${port}, "127.0.0.1")'; true`;

let started: StartedServer | null = null;
afterEach(() => started?.kill());

describe.skipIf(!existsSync("/proc/self/stat"))("StartedServer", () => {
  it("answers after a start, and again after all its processes were killed", async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    started = new StartedServer(commandOf(port), url);
    expect(await started.start(request)).toBeGreaterThan(0);
    const [first] = listDescendants(started.pid);
    await started.kill();
    await expect(fetch(url)).rejects.toThrow();
    await started.start(request);
    const second = Number(await (await fetch(url)).text());
    expect(second).not.toBe(first.pid);
    expect(findListener(port)).toBe(second);
    // The shell belongs to the server; this process, its parent, does not.
    expect(serverRoot(second)).toBe(started.pid);
    expect(treeUsage(started.pid)).toMatchObject({ processes: 2 });
    const { name } = listDescendants(started.pid)[0];
    expect(treeUsage(started.pid, name)).toMatchObject({ processes: 1 });
    expect(treeUsage(started.pid, "no such name")).toMatchObject({
      processes: 0,
      residentMegabytes: Number.NaN,
    });
    expect(treeUsage(started.pid).residentMegabytes).toBeGreaterThan(treeUsage(second).residentMegabytes);
  });

  it("says what the command printed if it ends", async () => {
    const port = await freePort();
    started = new StartedServer("echo no such dataset >&2; exit 3", `http://127.0.0.1:${port}`);
    await expect(started.start(request)).rejects.toThrow(/ended with 3: no such dataset/);
  });

  it("finds no process on a free port", async () => {
    expect(findListener(await freePort())).toBeNull();
  });
});
