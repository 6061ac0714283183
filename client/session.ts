import * as z from "zod";
import { type IssuedSession, issuedSession } from "../shared/contracts/credential.ts";
import { type FetchFunction, Transport, toJsonBody, VicinityError } from "./transport.ts";
import { Vicinity } from "./vicinity.ts";

/** Keeps texts by name, as `localStorage` and `sessionStorage` do. */
export interface SessionStorage {
  getItem(name: string): string | null;
  setItem(name: string, text: string): void;
  removeItem(name: string): void;
}

/** Options of {@link AnonymousSession}. */
export interface SessionOptions {
  /** Base URL of the deployment, for example `https://api.example.com`. */
  url: string;
  publishableKey: string;
  /** Where the session is kept, so that the next page continues it: `localStorage`, for example. */
  storage: SessionStorage;
  /** Seconds for which a token is valid: 60 to 2,592,000 (30 days); 7 days if left out. */
  ttlSeconds?: number;
  /** Replaces the global `fetch`. */
  fetch?: FetchFunction;
  /** Replaces the clock: milliseconds since the Unix epoch. */
  now?: () => number;
}

/** A session as it is kept. Times are in milliseconds since the Unix epoch. */
const keptSession = z.object({
  userId: z.string(),
  token: z.string(),
  publishableKey: z.string(),
  /** When the token is replaced by a new one: after half of its life. */
  renewAt: z.number(),
  expiresAt: z.number(),
  /** Whether the server answered 401 to the token, so that another session must start. */
  isRefused: z.boolean().default(false),
  /** When the session replaced a refused one; null for others. */
  replacedAt: z.number().nullable().default(null),
});
type KeptSession = z.infer<typeof keptSession>;

/**
 * Seconds until a renewal that failed is tried again, unless the server says otherwise, and until a session that replaced a
 * refused one is itself replaced.
 */
const retrySeconds = 60;

/**
 * The anonymous session of a page's visitor: a user that only this visitor acts for. It starts when it is first used, is
 * kept in a storage, and is renewed after half of its token's life. If it has ended, another one starts: also at the first
 * call after one that was answered with 401, because the user was erased or merged, or the key revoked. That call itself
 * fails, since it named the user that has ended. WebSockets and beacons do not show a 401: call {@link forget} then.
 *
 * @example
 * const session = new AnonymousSession({ url, publishableKey: "vic_pub_...", storage: localStorage });
 * const { client, userId } = await session.open();
 * const { items } = await client.recommend({ userId, limit: 10 });
 */
export class AnonymousSession {
  readonly #options: SessionOptions;
  readonly #fetch: FetchFunction;
  readonly #now: () => number;
  readonly #name: string;
  /** A start or renewal that is running, which all calls share. */
  #running: Promise<KeptSession> | null = null;
  #client: { token: string; client: Vicinity } | null = null;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
    this.#now = options.now ?? Date.now;
    this.#name = `vicinity-session ${options.url}`;
  }

  /**
   * Returns the anonymous user, their token, and a client that uses it. Starts or renews the session if that is due, once
   * for concurrent calls. Call it for each request: the token changes.
   */
  async open(): Promise<{ userId: string; token: string; client: Vicinity }> {
    const kept = this.#kept();
    const due = kept === null || kept.renewAt <= this.#now();
    const { userId, token } = due ? await this.#refreshOnce() : kept;
    if (this.#client?.token !== token)
      this.#client = {
        token,
        client: new Vicinity({ url: this.#options.url, credential: token, fetch: this.#fetchWith(token) }),
      };
    return { userId, token, client: this.#client.client };
  }

  /** Forgets the session, for example after its user was merged with a known one. The next call starts another one. */
  forget(): void {
    this.#options.storage.removeItem(this.#name);
    this.#client = null;
  }

  /** Returns a `fetch` that notices when the server refuses the token. */
  #fetchWith(token: string): FetchFunction {
    return async (url, init) => {
      const answer = await this.#fetch(url, init);
      if (answer.status === 401) this.#markRefused(token);
      return answer;
    };
  }

  /** Makes the next call start another session, once in {@link retrySeconds}: a server may refuse that one too. */
  #markRefused(token: string): void {
    const kept = this.#kept();
    const now = this.#now();
    if (kept === null || kept.token !== token) return;
    if (kept.replacedAt !== null && now - kept.replacedAt < retrySeconds * 1000) return;
    this.#keep({ ...kept, renewAt: now, isRefused: true });
  }

  /** Returns the session of the storage; null if there is none, or if it has expired. */
  #kept(): KeptSession | null {
    const text = this.#options.storage.getItem(this.#name);
    if (text === null) return null;
    const { data } = keptSession.safeParse(parseOrNull(text));
    const isUsable =
      data && data.publishableKey === this.#options.publishableKey && data.expiresAt > this.#now();
    return isUsable ? data : null;
  }

  #refreshOnce(): Promise<KeptSession> {
    this.#running ??= this.#refresh().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #refresh(): Promise<KeptSession> {
    const kept = this.#kept();
    const { publishableKey } = this.#options;
    if (kept === null) return this.#request("/v1/sessions", publishableKey, null);
    if (kept.isRefused) return this.#request("/v1/sessions", publishableKey, this.#now());
    try {
      return await this.#request("/v1/sessions/renew", kept.token, null);
    } catch (error) {
      if (error instanceof VicinityError && error.problem.status === 401)
        return this.#request("/v1/sessions", publishableKey, this.#now());
      // The token is valid for half of its life still.
      const seconds = (error instanceof VicinityError ? error.retryAfter : null) ?? retrySeconds;
      return this.#keep({ ...kept, renewAt: this.#now() + seconds * 1000 });
    }
  }

  async #request(path: string, credential: string, replacedAt: number | null): Promise<KeptSession> {
    const { url, ttlSeconds, publishableKey } = this.#options;
    const transport = new Transport(url, credential, this.#fetch);
    const answer = await transport.call<IssuedSession>("POST", path, {}, toJsonBody({ ttlSeconds }));
    const { userId, token, ...issued } = issuedSession.parse(answer);
    const expiresAt = Date.parse(issued.expiresAt);
    const renewAt = (this.#now() + expiresAt) / 2;
    return this.#keep({ userId, token, publishableKey, renewAt, expiresAt, isRefused: false, replacedAt });
  }

  #keep(session: KeptSession): KeptSession {
    this.#options.storage.setItem(this.#name, JSON.stringify(session));
    return session;
  }
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
