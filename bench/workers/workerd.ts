import type { ChildProcess } from "node:child_process";
import { listDescendants, listeningPorts } from "./processes.ts";

/**
 * The workerd process that runs the workers. `wrangler dev` starts two processes of workerd. The first is a proxy that
 * listens on the public port; each request through it costs more than the gateway itself. The second runs the workers
 * and listens on 127.0.0.1 at ports that it chooses: one serves the gateway over plain HTTP, one is the inspector of
 * all isolates, which `/json` lists. Their responses tell the two ports apart.
 */
export interface Workerd {
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
): Promise<Workerd | null> {
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
