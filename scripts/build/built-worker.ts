import { join } from "node:path";
import type { SourcelessWorkerOptions } from "wrangler";
import { root } from "../workers.ts";

/** Directory of the workers that `npm start` has built: one folder for each, with its {@link BuildRecord}. */
export const buildDirectory = join(root, ".wrangler/built");

/** A rate limit of a wrangler.toml: requests in a period of seconds, counted apart for each namespace. */
export interface RateLimit {
  namespace_id: string;
  simple: { limit: number; period: number };
}

/** Options of one worker for the local runtime, without its code: what its wrangler.toml says. */
export type LocalWorkerOptions = Omit<
  SourcelessWorkerOptions,
  "bindings" | "durableObjects" | "modulesRules" | "ratelimits" | "serviceBindings"
> & {
  bindings: Record<string, string>;
  durableObjects: Record<string, { className: string; scriptName?: string; useSQLite?: boolean }>;
  ratelimits: Record<string, RateLimit>;
  serviceBindings: Record<string, { name: string; entrypoint?: string }>;
};

/** What a build leaves beside the bundle, so that the next start knows whether the bundle is still true. */
export interface BuildRecord {
  /** SHA-256 of the content of all inputs. */
  hash: string;
  /** Paths of the bundled source files, relative to the project's folder. */
  inputs: readonly string[];
  options: LocalWorkerOptions;
}

/** A worker that is ready to run: its bundle is `index.js` in the folder, beside its modules. */
export interface BuiltWorker {
  name: string;
  folder: string;
  options: LocalWorkerOptions;
}
