import type { Precision } from "../../shared/contracts/primitives.ts";
import { resendSeconds } from "./outbox.ts";
import { SessionState } from "./session-state.ts";
import { SessionStore } from "./store/session-store.ts";

/** The tables of a user's object, and what the object keeps of them in memory. */
export class SessionCore {
  readonly store: SessionStore;
  readonly #storage: DurableObjectStorage;
  readonly #defaultConsent: Precision;
  readonly #invalidated: () => void;
  #cachedState: SessionState | null = null;
  /** Whether the tables exist and name their user. */
  #initialized = false;
  /** How often the user was erased; undefined until it is read. */
  #cachedGeneration: number | undefined;

  /** `defaultConsent` is the consent of a user who states none. `invalidated` is called after {@link invalidate}. */
  constructor(storage: DurableObjectStorage, defaultConsent: Precision, invalidated: () => void) {
    this.store = new SessionStore(storage);
    this.#storage = storage;
    this.#defaultConsent = defaultConsent;
    this.#invalidated = invalidated;
  }

  get state(): SessionState {
    this.#cachedState ??= new SessionState(
      this.store,
      Date.now() / 1000,
      resendSeconds,
      this.#defaultConsent,
    );
    return this.#cachedState;
  }

  get generation(): number {
    this.#cachedGeneration ??= this.store.hasTables() ? Number(this.store.getMeta("generation") ?? 0) : 0;
    return this.#cachedGeneration;
  }

  /** When the present generation began, in seconds since the epoch; null for the first one. */
  get generationStart(): number | null {
    return this.generation > 0 ? Number(this.store.getMeta("generationStart")) : null;
  }

  /** Returns the user of this object; null before anything is stored. */
  owner(): { application: string; userId: string } | null {
    if (!this.store.hasTables()) return null;
    const application = this.store.getMeta("application");
    const userId = this.store.getMeta("userId");
    return application === null || userId === null ? null : { application, userId };
  }

  /** Drops everything cached, after a transaction failed or an erasure deleted the tables. */
  invalidate(): void {
    this.store.invalidate();
    this.#cachedGeneration = undefined;
    this.#cachedState = null;
    this.#initialized = false;
    this.#invalidated();
  }

  /** Runs a change of the tables. If it fails, drops everything cached. */
  change<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      this.invalidate();
      throw error;
    }
  }

  /** Runs `change` in one transaction over the tables and the state. If `change` fails, both stay as they were. */
  transaction<T>(application: string, userId: string, change: (state: SessionState) => T): T {
    return this.change(() =>
      this.#storage.transactionSync(() => {
        if (!this.#initialized) {
          if (!this.store.hasTables()) this.store.createTables();
          if (this.store.getMeta("userId") === null) {
            this.store.setMeta("application", application);
            this.store.setMeta("userId", userId);
          }
          this.#initialized = true;
        }
        return change(this.state);
      }),
    );
  }
}
