import type { ChildProcess } from "node:child_process";
import { listDescendants, listeningPorts } from "./processes.ts";

/**
 * `wrangler dev` starts two processes of workerd. The first listens on the public port and is a proxy: every request
 * crosses it, and it costs more than the gateway itself. The second runs the workers and listens on 127.0.0.1 at ports
 * that it chooses: one is the door of the gateway, in plain HTTP; one is the inspector of all its isolates
 * (`/json` lists them). Which is which shows in what they answer.
 */
export interface Workerd {
  pid: number;
  /** The door, without the proxy. */
  url: string;
  /** WebSocket addresses of the isolates' inspectors by the names of their workers. */
  inspectors: Map<string, string>;
}

const timeoutMs = 10_000;

async function fetchText(url: string): Promise<string | null> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    const text = await answer.text();
    return answer.ok ? text : null;
  } catch {
    return null;
  }
}

/** Isolates of workers that the text of `/json` lists; none where it lists nothing of the kind. */
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
 * The workerd below `wrangler dev` that runs the workers. `path` is one that their door answers. Null where it is not
 * found, as on systems without /proc.
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
