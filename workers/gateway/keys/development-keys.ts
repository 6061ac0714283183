import type { KeyRole } from "../../../shared/contracts/credential.ts";
import { hashesEqual } from "./key.ts";

/** The documentation lists these keys, so they are no secret: they answer in local development only. */
export const developmentKeys: ReadonlyMap<string, KeyRole> = new Map([
  ["dev-admin-key", "admin"],
  ["dev-server-key", "server"],
  ["dev-publishable-key", "publishable"],
]);

/** Application of the development keys. */
export const developmentApplication = "demo";

const localHosts = new Set(["localhost", "127.0.0.1", "[::1]"]);
/** Characters that a marker has at least, so that `DEVELOPMENT_KEYS=on` or `true` is none. */
const minMarkerLength = 32;
/** Milliseconds after which a marker that did not match is read again. */
const retryMs = 5_000;

/**
 * Header by which the local proxy tells that a request was sent to a local name. `wrangler dev` lets every client replace
 * the host that a worker sees, so that the host alone proves nothing there.
 */
export const proxySecretHeader = "x-local-proxy-secret";

/** A local name as clients usually write it, with or without a port: such a host need not be parsed. */
const usualLocalHost = /^(localhost|127\.0\.0\.1|\[::1\])(:[1-9]\d{0,3})?$/;

/** Returns whether the host of a request, with or without a port, is a local name. */
export const isLocalHost = (host: string): boolean =>
  usualLocalHost.test(host) ||
  (URL.canParse(`http://${host}`) && localHosts.has(new URL(`http://${host}`).hostname));

/**
 * Returns whether a request was sent to a local name, and by no page of another origin. A page can make a browser send
 * requests to this machine: its own origin tells it, or, where it gave its own name the address 127.0.0.1, the host.
 * `proxySecret` is the secret of the local proxy, which the request must have; null where there is no proxy.
 */
export function isLocalRequest(
  { url, headers }: Pick<Request, "url" | "headers">,
  proxySecret: string | null,
): boolean {
  const { hostname, host, protocol } = new URL(url);
  const sentHost = headers.get("host") ?? host;
  const sentUrl = `${protocol}//${sentHost}`;
  if (!isLocalHost(sentHost) || !localHosts.has(hostname)) return false;
  if (proxySecret !== null && !hashesEqual(headers.get(proxySecretHeader) ?? "", proxySecret)) return false;
  const origin = headers.get("origin");
  return origin === null || origin === new URL(sentUrl).origin;
}

/** Reads the marker that local commands write into the gateway's database; the store implements it. */
export interface MarkerReader {
  findDevelopmentMarker(): Promise<string | null>;
}

/**
 * Tells whether the state was made by a local command. Such a command writes a random marker into the local database,
 * and gives the gateway the same one as `DEVELOPMENT_KEYS`. A database in production has no marker, so that the variable
 * alone opens nothing.
 */
export class LocalState {
  readonly #reader: MarkerReader;
  readonly #marker: string | null;
  readonly #now: () => number;
  #isConfirmed = false;
  #retryAt = 0;

  /** `marker` is the variable `DEVELOPMENT_KEYS`; null where it is not set. */
  constructor(reader: MarkerReader, marker: string | null, now: () => number) {
    this.#reader = reader;
    this.#marker = marker;
    this.#now = now;
  }

  /** Returns whether the database has the gateway's marker. An isolate reads it once. */
  async isConfirmed(): Promise<boolean> {
    if (this.#isConfirmed || this.#marker === null || this.#marker.length < minMarkerLength)
      return this.#isConfirmed;
    if (this.#retryAt > this.#now()) return false;
    const stored = await this.#reader.findDevelopmentMarker();
    this.#isConfirmed = stored !== null && hashesEqual(stored, this.#marker);
    this.#retryAt = this.#now() + retryMs;
    return this.#isConfirmed;
  }
}
