import type { Merge } from "../../../shared/contracts/merge.ts";
import { ok, type Refusal, RefusalError, type Result, refuse } from "../../../shared/contracts/result.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { sha256OfText } from "../../../shared/hash/sha256.ts";
import { hasTable } from "../../has-table.ts";
import { type RetryDelays, retryDelay } from "../jobs/retry-delay.ts";
import { StepRunner } from "../jobs/step-runner.ts";
import { isAfter, type MergeState, mergeOf, mergePhases } from "./merge-state.ts";
import { type MergeEnvironment, type MergeOwner, MergeSteps, type StepResult } from "./merge-steps.ts";

/** A client waits for the merge, so that a failed step is repeated sooner than one of a scan. */
const retryDelays: RetryDelays = { minSeconds: 1, maxSeconds: 60 };

/** Returns how a merge names the user that stays, by whose pseudonym nobody can find the merge without its id. */
export const readerOfMerge = (id: string, pseudonym: string): Promise<string> =>
  sha256OfText(JSON.stringify([id, pseudonym]));

/** Who is merged into whom. */
export interface MergeRequest {
  id: string;
  application: string;
  userId: string;
  generation: number;
  into: { userId: string; pseudonym: string };
  /** What {@link readerOfMerge} returns for the user that stays. */
  reader: string;
  /** Seconds since the epoch. */
  now: number;
}

/**
 * The merges of one user into others, including ended ones. A merge is durable, and runs step by step until the data of
 * the user belongs to the other one. The user's object leads it.
 */
export class OutgoingMerges {
  readonly #storage: DurableObjectStorage;
  readonly #steps: MergeSteps;
  readonly #owner: MergeOwner;
  /** All merges, oldest first; null until they are read. */
  #states: MergeState[] | null = null;
  readonly #runner: StepRunner<MergeState>;

  constructor(storage: DurableObjectStorage, env: MergeEnvironment, owner: MergeOwner) {
    this.#storage = storage;
    this.#owner = owner;
    this.#steps = new MergeSteps(storage, env, owner, {
      isRunning: (id) => this.#current?.id === id,
      put: (state) => this.#put(state),
    });
    this.#runner = new StepRunner(
      (now) => {
        const state = this.#current;
        return state && (state.due ?? Number.POSITIVE_INFINITY) <= now ? state : null;
      },
      (state, now) => this.#run(state, now),
    );
  }

  get #all(): MergeState[] {
    if (this.#states) return this.#states;
    const { sql } = this.#storage;
    this.#states = hasTable(sql, "merges")
      ? sql
          .exec<{ state: string }>("SELECT state FROM merges")
          .toArray()
          .map(({ state }): MergeState => JSON.parse(state))
          .sort((a, b) => a.requested - b.requested)
      : [];
    return this.#states;
  }

  #put(state: MergeState): void {
    this.#states = null;
    this.#storage.sql.exec("INSERT OR REPLACE INTO merges VALUES (?, ?)", state.id, JSON.stringify(state));
  }

  /** Drops what is cached, after a transaction failed. */
  invalidate(): void {
    this.#states = null;
  }

  get #current(): MergeState | null {
    return this.#all.find(({ status }) => status === "running") ?? null;
  }

  /** Returns whether a merge is running. */
  get isRunning(): boolean {
    return this.#current !== null;
  }

  /** Returns the merge because of which the user takes no events; null if there is none. */
  get frozen(): MergeState | null {
    return this.#all.find(({ isFrozen }) => isFrozen) ?? null;
  }

  /** Returns whether the user was merged, so that the object holds nothing of the user any more. */
  get isMerged(): boolean {
    return this.frozen?.status === "done";
  }

  /** Returns the pseudonyms of the users that hold the receipts of ended merges. */
  successors(application: string): string[] {
    return this.#all.flatMap((each) =>
      each.application === application && each.status === "done" && each.intoPseudonym !== null
        ? [each.intoPseudonym]
        : [],
    );
  }

  /**
   * Begins a merge, from which on the user takes no events. Returns the one that is there if the user is merged into the
   * same user already; refuses with `user_merged` if into another.
   */
  begin({ id, application, userId, generation, into, reader, now }: MergeRequest): Result<Merge> {
    this.#storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS merges (id TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID",
    );
    const { frozen } = this;
    if (frozen)
      return frozen.intoPseudonym === into.pseudonym
        ? ok(mergeOf(frozen))
        : refuse("user_merged", "The user in `from` is merged into another user.");
    const state: MergeState = {
      ...{ id, application, userId, generation, intoUserId: into.userId, intoPseudonym: into.pseudonym },
      ...{
        reader,
        status: "running",
        isFrozen: true,
        isAnnounced: false,
        isCancelling: false,
        reason: null,
        erasureId: null,
        refusal: null,
      },
      ...{ phase: mergePhases[0], position: null, precision: null, committed: null, moved: {} },
      ...{ requested: now, completed: null, due: now, failures: 0 },
    };
    this.#put(state);
    return ok(mergeOf(state));
  }

  /**
   * Returns a merge of an application; null if there is none with this id. `reader` is what {@link readerOfMerge}
   * returns for the user that asks, who sees merges into them; null sees all.
   */
  find(application: string, id: string, reader: string | null): Merge | null {
    const state = this.#all.find((each) => each.id === id && each.application === application);
    return state && (reader === null || state.reader === reader) ? mergeOf(state) : null;
  }

  /** Notes that a client is told of a merge. Returns the merge; null if there is none with this id. */
  announce(application: string, id: string): Merge | null {
    const state = this.#all.find((each) => each.id === id);
    if (state && !state.isAnnounced) this.#put({ ...state, isAnnounced: true });
    return this.find(application, id, null);
  }

  /** Returns why the target refused a merge, and forgets the merge; null if the target did not refuse. */
  takeRefusal(id: string): Refusal | null {
    const refusal = this.#all.find((each) => each.id === id)?.refusal ?? null;
    if (refusal === null) return null;
    this.#states = null;
    this.#storage.sql.exec("DELETE FROM merges WHERE id = ?", id);
    return refusal;
  }

  /** Returns when the next step is due, in seconds since the epoch; null if no merge is running. */
  due(): number | null {
    return this.#current?.due ?? null;
  }

  /** Makes a merge that waits for open rows continue at once. */
  wake(now: number): void {
    const current = this.#current;
    if (current?.phase === "drain") this.#put({ ...current, due: now });
  }

  /**
   * Cancels the running merge unless it is committed, because the user is being erased. The next step asks the target,
   * which knows.
   */
  requestCancel(now: number): void {
    const current = this.#current;
    if (current && !isAfter(current.phase, "commit")) this.#put({ ...current, isCancelling: true, due: now });
  }

  /**
   * Returns the merge of a generation whose data belongs to another user, or may soon; null if there is none. It stays
   * after that user was erased.
   */
  ofGeneration(generation: number): MergeState | null {
    return (
      this.#all.find(
        (each) => each.generation === generation && (each.status !== "cancelled" || each.erasureId !== null),
      ) ?? null
    );
  }

  /**
   * Notes the erasure that was requested after this user was merged. It erases what is still stored under this user's
   * name, and its id is free again when it starts the next generation.
   */
  noteErasure(erasureId: string): void {
    const { frozen } = this;
    if (frozen && frozen.erasureId === null) this.#put({ ...frozen, erasureId });
  }

  /**
   * Lets the next user with the same id take events, within the transaction that starts a generation. The receipts of an
   * ended merge lead to the user that stays.
   */
  release(): void {
    const { frozen } = this;
    if (frozen?.status === "done") this.#put({ ...frozen, isFrozen: false });
  }

  /** Forgets to whom ended merges into the same user lead, because that user is being erased. */
  forgetTarget({ intoPseudonym }: MergeState): void {
    for (const state of this.#all)
      if (intoPseudonym !== null && state.intoPseudonym === intoPseudonym && state.status === "done")
        this.#put({ ...state, intoPseudonym: null });
  }

  /**
   * Ends a merge and forgets to whom it leads, because the user that stays is being erased and the erasure `erasureId` of
   * this one has begun.
   */
  abandon(state: MergeState, erasureId: string, now: number): void {
    this.forgetTarget(state);
    this.#put({
      ...state,
      ...(state.status === "running"
        ? { status: "cancelled", reason: "into_erased", completed: now, due: null }
        : {}),
      ...{ erasureId, isFrozen: false, userId: null, intoUserId: null, intoPseudonym: null, committed: null },
    });
  }

  /**
   * Runs due steps until `end`, milliseconds since the epoch, or a number of pages. Never throws: a failed step is
   * scheduled again.
   */
  advance(end: number): Promise<void> {
    return this.#runner.advance(end);
  }

  /** Runs a step and stores its result. Returns whether the step was a page of a phase that goes on. */
  async #run(state: MergeState, now: number): Promise<boolean> {
    const result = await this.#steps.run(state, now).catch((error: unknown): StepResult => {
      console.error({ event: "merge failed", phase: state.phase, error: errorText(error) });
      const retryAfter = error instanceof RefusalError ? error.refusal.retryAfter : undefined;
      return { wait: retryAfter ?? 0 };
    });
    this.#apply(state, result, now);
    return result !== "stored" && "next" in result && result.next.phase === state.phase;
  }

  /** Stores the result of a step, unless the merge ended meanwhile, or the step has stored it itself. */
  #apply(before: MergeState, result: StepResult, now: number): void {
    const stored = this.#all.find(({ id }) => id === before.id);
    if (stored?.status !== "running" || result === "stored") return;
    if ("wait" in result) {
      const delay = Math.max(retryDelay(stored.failures, retryDelays), result.wait);
      this.#put({ ...stored, failures: stored.failures + 1, due: now + delay });
      return;
    }
    // An erasure may have begun during the step: the next step cancels the merge, if it can be cancelled.
    const isCancelling = result.next.isCancelling || (stored.isCancelling && !before.isCancelling);
    const next = { ...result.next, isAnnounced: stored.isAnnounced };
    this.#storage.transactionSync(() => {
      this.#put({ ...next, isCancelling, failures: 0, due: next.status === "running" ? now : null });
      // Whoever erased the other user was told that this one is merged into it.
      if (next.reason === "into_erased" && next.isAnnounced) this.#owner.eraseWithTarget(stored);
    });
  }
}
