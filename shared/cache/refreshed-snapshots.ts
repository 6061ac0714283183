import { errorText } from "../errors/error-text.ts";
import { ShareCache } from "./share-cache.ts";

/** What an isolate last read of an application. */
interface Snapshot<V> {
  value: V;
  /** Reads are numbered in the order in which they start. */
  readNumber: number;
  /** When the last read started, in milliseconds since the Unix epoch. */
  readAt: number;
}

/** Settings of {@link RefreshedSnapshots}. */
export interface RefreshedSnapshotsOptions<V> {
  /** Event of the log for a read in the background that failed. */
  failure: string;
  /** Age from which on a value is read again in the background, in milliseconds. */
  maxAgeMs: number;
  /** Largest sum of the sizes of all applications' values; those that were not used for long are forgotten first. */
  maxSize: number;
  sizeOf(value: V): number;
  /** Milliseconds since the Unix epoch. */
  now?: () => number;
}

/** The only entry of an application. */
const key = "";

/**
 * A value of each application in isolate memory. Only the first request of an isolate waits for it; later ones get what the
 * isolate knows, and read it again after their answer if it is old.
 */
export class RefreshedSnapshots<V> {
  readonly #failure: string;
  readonly #maxAgeMs: number;
  readonly #now: () => number;
  readonly #snapshots: ShareCache<Snapshot<V>>;
  #reads = 0;

  constructor({ failure, maxAgeMs, maxSize, sizeOf, now = Date.now }: RefreshedSnapshotsOptions<V>) {
    this.#failure = failure;
    this.#maxAgeMs = maxAgeMs;
    this.#now = now;
    this.#snapshots = new ShareCache({ maxSize, sizeOf: ({ value }) => sizeOf(value), now });
  }

  /** Returns what the isolate knows of an application; undefined if it knows nothing. */
  known(application: string): V | undefined {
    return this.#snapshots.get(application, key)?.value;
  }

  /** Reads a value now, for the next requests. A slow read undoes nothing of a read that started later. Rejects if `read` does. */
  async refresh(application: string, read: () => Promise<V>): Promise<V> {
    const readNumber = ++this.#reads;
    const readAt = this.#now();
    const value = await read();
    const newer = this.#snapshots.get(application, key);
    if (newer && newer.readNumber > readNumber) return newer.value;
    this.#snapshots.set(application, key, { value, readNumber, readAt });
    return value;
  }

  /** Returns a value at most as old as the last request's background read. Rejects if the first `read` of an isolate does. */
  async get(
    application: string,
    read: () => Promise<V>,
    waitUntil: (work: Promise<unknown>) => void,
  ): Promise<V> {
    const snapshot = this.#snapshots.get(application, key);
    if (!snapshot) return this.refresh(application, read);
    if (this.#now() - snapshot.readAt > this.#maxAgeMs) {
      // Other requests must not start a read while this one runs.
      snapshot.readAt = this.#now();
      waitUntil(
        this.refresh(application, read).catch((error: unknown) =>
          console.error({ event: this.#failure, application, error: errorText(error) }),
        ),
      );
    }
    return snapshot.value;
  }
}
