import type { ChildProcess } from "node:child_process";
import { listDescendants } from "../../scripts/processes/list-processes.ts";
import { listeningPorts } from "../../scripts/processes/listening-ports.ts";

/** The workerd process that runs the workers. */
export interface Workerd {
  pid: number;
  /** WebSocket addresses of the isolates' inspectors, by worker name. */
  inspectors: Map<string, string>;
}

/**
 * The workerd process that runs a worker below `wrangler dev`. `wrangler dev` starts two processes of workerd. The first is a proxy that
 * listens on the public port; each request through it costs more than the gateway itself. The second runs the workers
 * and listens on 127.0.0.1 at ports that it chooses: one serves the gateway over plain HTTP, one is the inspector of
 * all isolates, which `/json` lists. Their responses tell the two ports apart.
 */
export interface DevWorkerd {
  pid: number;
  /** Address of the gateway without the proxy. */
  url: string;
  /** WebSocket addresses of the isolates' inspectors, by worker name. */
  inspectors: Map<string, string>;
}

const fetchTimeoutMs = 10_000;

/** Returns the text of a successful response; null after an error, a timeout or another status. */
async function fetchText(url: string): Promise<string | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(fetchTimeoutMs) });
    const text = await response.text();
    return response.ok ? text : null;
  } catch {
    return null;
  }
}

/** Returns the workers' inspectors that the text of `/json` lists; none if the text is no such list. */
function parseInspectors(text: string | null): Map<string, string> {
  const found = new Map<string, string>();
  let list: unknown;
  try {
    list = JSON.parse(text ?? "");
  } catch {
    return found;
  }
  if (!Array.isArray(list)) return found;
  for (const { id, webSocketDebuggerUrl } of list) {
    const name = /^core:user:(vicinity-.+)$/.exec(String(id))?.[1];
    if (name !== undefined) found.set(name, String(webSocketDebuggerUrl));
  }
  return found;
}

/**
 * Finds the workerd process below `wrangler dev` that runs the workers. `path` is a path that the gateway answers.
 * Returns null if there is none, for example on systems without /proc.
 */
export async function findWorkerd(
  wrangler: ChildProcess,
  publicPort: number,
  path: string,
): Promise<DevWorkerd | null> {
  for (const { pid, name } of listDescendants(wrangler.pid ?? -1)) {
    const ports = listeningPorts(pid);
    if (name !== "workerd" || ports.includes(publicPort)) continue;
    let url: string | null = null;
    let inspectors = new Map<string, string>();
    for (const port of ports) {
      const base = `http://127.0.0.1:${port}`;
      const listed = parseInspectors(await fetchText(`${base}/json`));
      if (listed.size > 0) inspectors = listed;
      else if (url === null && (await fetchText(`${base}${path}`)) !== null) url = base;
    }
    if (url !== null) return { pid, url, inspectors };
  }
  return null;
}

/** Returns the workerd process of the local server in this process; null on systems that do not list processes. */
export async function findRuntime(inspectorPort: number): Promise<Workerd | null> {
  const runtime = listDescendants(process.pid).find(({ name }) => name === "workerd");
  if (runtime === undefined) return null;
  return {
    pid: runtime.pid,
    inspectors: parseInspectors(await fetchText(`http://127.0.0.1:${inspectorPort}/json`)),
  };
}
