import type { V4WorkerOptions } from "miniflare";
import type { RateLimit } from "../build/built-worker.ts";

const workerName = "vicinity-local-rate-limits";
const entrypoint = "RateLimit";

/**
 * The worker that counts in memory, as Cloudflare's binding does in each of its locations. Windows begin at multiples of
 * the period. Counts of a window that has ended are dropped with the first call of the next one.
 */
const script = `
import { WorkerEntrypoint } from "cloudflare:workers";
const windows = new Map();
export class ${entrypoint} extends WorkerEntrypoint {
  limit({ key }) {
    const { namespace, limit, period } = this.ctx.props;
    const start = Math.floor(Date.now() / (1000 * period));
    let window = windows.get(namespace);
    if (window === undefined || window.start !== start) windows.set(namespace, (window = { start, counts: new Map() }));
    const count = window.counts.get(key) ?? 0;
    if (count >= limit) return { success: false };
    window.counts.set(key, count + 1);
    return { success: true };
  }
}
export default {};
`;

/** The worker of all rate limits of the local server. Miniflare's own form of the binding writes each count to disk. */
export const rateLimitWorker: V4WorkerOptions = {
  name: workerName,
  modules: true,
  compatibilityDate: "2026-11-01",
  script,
};

/** Returns service bindings that stand for the rate limits of a worker, by the names of their bindings. */
export const rateLimitBindings = (limits: Readonly<Record<string, RateLimit>>) =>
  Object.fromEntries(
    Object.entries(limits).map(([binding, { namespace_id, simple }]) => [
      binding,
      { name: workerName, entrypoint, props: { namespace: namespace_id, ...simple } },
    ]),
  );
