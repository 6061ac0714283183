import { timedOut, withTimeout } from "../../../shared/async/with-timeout.ts";
import type { RunInBackground } from "../dependencies.ts";
import { logUnexpectedError } from "../errors/problem-response.ts";
import type { ChangedApplications } from "../store.ts";

/** Age at which the known changes are read again, in milliseconds. No request waits for that. */
export const refreshMs = 3_000;
/** Age of the known changes, in milliseconds, from which a request waits for a new read: so old they are in an idle isolate. */
export const maxUnawaitedMs = 10_000;
/** Milliseconds for which a request waits for the database at most. */
const maxWaitMs = 1_000;
/** Milliseconds after a change for which the copies of its application's keys in KV may be older than the change. */
export const maxCopyAgeMs = 15 * 60_000;

/** Reads the applications whose keys were revoked or rotated; the gateway's store implements it. */
export interface ChangeReader {
  findChanges(after: number | null, since: number): Promise<ChangedApplications>;
}

export interface KeyChangesOptions {
  reader: ChangeReader;
  /** Returns milliseconds since the Unix epoch. */
  now: () => number;
  runInBackground: RunInBackground;
  /** Called for each application whose keys changed, so that what is known of them is forgotten. */
  onChange: (application: string) => void;
}

/**
 * The revocations and rotations of keys that an isolate knows. A busy isolate reads those that it does not know from the
 * database every three seconds, after an answer: so a key that is known costs no request a wait for the database, and a
 * revoked one is refused within ten seconds everywhere.
 */
export class KeyChanges {
  readonly #options: KeyChangesOptions;
  /** Number of the last change that this isolate knows; null before the first read. */
  #last: number | null = null;
  /** When the last successful read began, and when the last read began, in milliseconds since the Unix epoch. */
  #readAt = Number.NEGATIVE_INFINITY;
  #triedAt = Number.NEGATIVE_INFINITY;
  #hasFailed = false;
  /** The last change of each application, and when this isolate read of it. */
  readonly #changes = new Map<string, { number: number; readAt: number }>();

  constructor(options: KeyChangesOptions) {
    this.#options = options;
  }

  /** Number of the last change that this isolate knows. */
  get last(): number {
    return this.#last ?? 0;
  }

  /** When the known changes were complete, in milliseconds since the Unix epoch. */
  get completeAt(): number {
    return this.#readAt;
  }

  /** Makes the next request wait for a new read. */
  expire(): void {
    this.#readAt = Number.NEGATIVE_INFINITY;
    this.#hasFailed = false;
  }

  /**
   * Returns whether all changes are known but those of the last seconds. Waits for the database, a second at most, in an
   * isolate that is new or was idle for ten seconds. Returns false where the database does not answer; then only the
   * background asks it again, every three seconds.
   */
  async areKnown(): Promise<boolean> {
    const now = this.#options.now();
    if (now - this.#readAt < refreshMs) return true;
    const isUsable = now - this.#readAt < maxUnawaitedMs;
    if (isUsable || this.#hasFailed) {
      if (now - this.#triedAt >= refreshMs) {
        this.#triedAt = now;
        this.#options.runInBackground(this.#read());
      }
      return isUsable;
    }
    // Each request has a read of its own, since the read of a canceled request never ends.
    this.#triedAt = now;
    const outcome = await withTimeout(this.#read(), maxWaitMs);
    if (outcome === timedOut) this.#hasFailed = true;
    return outcome === true;
  }

  /** Returns whether the copies of an application's keys may be older than a change that this isolate knows. */
  mayBeOld(application: string): boolean {
    const change = this.#changes.get(application);
    return change !== undefined && this.#options.now() - change.readAt < maxCopyAgeMs;
  }

  /** Returns whether the keys of an application changed after the change with a number. */
  hasChangedSince(application: string, number: number): boolean {
    return (this.#changes.get(application)?.number ?? 0) > number;
  }

  /** Reads the changes that are not known. Returns whether the database answered. */
  async #read(): Promise<boolean> {
    const { reader, now } = this.#options;
    const startedAt = now();
    try {
      const { applications, last } = await reader.findChanges(
        this.#last,
        Math.floor((startedAt - maxCopyAgeMs) / 1000),
      );
      this.#forgetOld(startedAt);
      for (const { application, number } of applications) this.#add(application, number, startedAt);
      this.#last = Math.max(this.last, last);
      this.#readAt = Math.max(this.#readAt, startedAt);
      this.#hasFailed = false;
      return true;
    } catch (error) {
      this.#hasFailed = true;
      logUnexpectedError(error);
      return false;
    }
  }

  #add(application: string, number: number, readAt: number): void {
    if (!this.hasChangedSince(application, number - 1)) {
      this.#changes.set(application, { number, readAt });
      this.#options.onChange(application);
    }
  }

  #forgetOld(now: number): void {
    for (const [application, { readAt }] of this.#changes)
      if (now - readAt >= maxCopyAgeMs) this.#changes.delete(application);
  }
}
