import type { Erasure } from "../../../shared/contracts/erasure.ts";
import type { Merge } from "../../../shared/contracts/merge.ts";
import type { Requester } from "../../../shared/contracts/requester.ts";
import { ok, type Result, refuse, unwrap } from "../../../shared/contracts/result.ts";
import type { UserGeneration } from "../../../shared/services/user-api.ts";
import { isAnonymousId } from "../../../shared/users/anonymous-id.ts";
import type { Erasures } from "../erasures.ts";
import type { SessionCore } from "../session-core.ts";
import type { SessionState } from "../session-state.ts";
import { IncomingMerges } from "./incoming-merges.ts";
import type {
  MergeCommit,
  MergeCommitted,
  MergeSource,
  MergeTarget,
  MergeTargetObject,
  StagedPage,
} from "./merge-messages.ts";
import { isAfter } from "./merge-state.ts";
import type { MergeEnvironment } from "./merge-steps.ts";
import { OutgoingMerges, readerOfMerge } from "./outgoing-merges.ts";

/** The parts of a user's object that its merges use. */
export interface UserMergesOwner {
  pseudonym: string;
  core: SessionCore;
  erasures(): Erasures;
  /** Returns the object of another user. */
  session(pseudonym: string): MergeTargetObject;
  /** Returns the refusal of a requester whose token has ended; null for other requesters. */
  endedToken(requester: Requester): Extract<Result<never>, { ok: false }> | null;
  isCoarsening(): boolean;
  /** Deletes everything and starts the generation after `generation`, within the caller's transaction. */
  startNextGeneration(generation: number): void;
  /** Removes receipts that are finer than the user's consent, within a transaction. */
  removeFinerReceipts(state: SessionState): void;
}

/** The merges of a user into others, and of others into this one. */
export class UserMerges {
  readonly #storage: DurableObjectStorage;
  readonly #env: MergeEnvironment;
  readonly #owner: UserMergesOwner;
  readonly outgoing: OutgoingMerges;
  readonly incoming: IncomingMerges;

  constructor(storage: DurableObjectStorage, env: MergeEnvironment, owner: UserMergesOwner) {
    const { core, pseudonym } = owner;
    this.#storage = storage;
    this.#env = env;
    this.#owner = owner;
    this.incoming = new IncomingMerges(storage.sql, core.store);
    this.outgoing = new OutgoingMerges(storage, env, {
      ...{ pseudonym, store: core.store },
      state: () => core.state,
      target: (target) => owner.session(target),
      earlierMerges: () => this.incoming.sources(),
      endGeneration: (generation) => {
        owner.startNextGeneration(generation);
        return owner.erasures().continueInNextGeneration(generation, Date.now() / 1000);
      },
      eraseWithTarget: ({ id, application, userId, generation }) => {
        owner.erasures().begin(id, { application, userId, generation, now: Date.now() / 1000 });
      },
    });
  }

  /** Begins a merge of this user into another one, or returns the one that is there. The caller continues it. */
  async begin(
    application: string,
    userId: string,
    into: { userId: string; pseudonym: string },
    id: string,
    requester: Requester,
  ): Promise<Result<Merge>> {
    const { core } = this.#owner;
    const reader = await readerOfMerge(id, into.pseudonym);
    const { generation } = core;
    if (!this.outgoing.frozen) {
      // The user of an anonymous session, and one whose token the caller holds, may have done nothing.
      const isKnown = isAnonymousId(userId) || requester.tokenIssuedAt !== null || core.owner() !== null;
      if (!isKnown) return refuse("not_found", "There is no user with the id in `from`.");
      const ended = this.#owner.endedToken(requester);
      if (ended) return ended;
      if (this.#owner.erasures().isRunning(generation)) return busy("The user in `from` is being erased.");
      if (this.incoming.hasUnfinished()) return busy("Another user is being merged into the user in `from`.");
      if (this.#owner.isCoarsening())
        return busy("What is stored about the user in `from` is being coarsened.");
    }
    if (!core.store.hasTables()) core.store.createTables();
    return this.outgoing.begin({
      ...{ id, application, userId, generation, into, reader },
      now: Date.now() / 1000,
    });
  }

  /** Returns a merge that was begun, or why the target has refused it. */
  begun(application: string, merge: Merge, id: string): Result<Merge> {
    const refusal = this.outgoing.takeRefusal(id);
    if (refusal) return { ok: false, error: refusal };
    return ok(this.outgoing.announce(application, merge.id) ?? merge);
  }

  /**
   * Returns a merge of this user; null if it does not exist, or `into` is the pseudonym of a user it does not concern.
   */
  async find(application: string, id: string, into: string | null): Promise<Merge | null> {
    return this.outgoing.find(application, id, into && (await readerOfMerge(id, into)));
  }

  /**
   * Begins to erase this user because the user into whom it was merged is being erased. Returns the id of the erasure;
   * null if nothing of the merged generation is left.
   */
  beginErasureWithTarget(
    application: string,
    { userId, generation }: Pick<MergeSource, "userId" | "generation">,
    id: string,
  ): Erasure["id"] | null {
    const now = Date.now() / 1000;
    const merge = this.outgoing.ofGeneration(generation);
    if (merge === null) return null;
    if (merge.erasureId !== null) {
      // An erasure of this user is running already, or done. A later user may have the same id by now.
      this.outgoing.forgetTarget(merge);
      return merge.erasureId;
    }
    const start = { application, userId, generation: this.#owner.core.generation, now };
    const erasureId = this.#owner.erasures().begin(id, start).id;
    this.outgoing.abandon(merge, erasureId, now);
    return erasureId;
  }

  /** Agrees that another user is merged into this one, as was requested at a time, in seconds since the epoch. */
  prepare(source: MergeSource, requested: number): Result<MergeTarget> {
    if (this.outgoing.frozen)
      return refuse("user_merged", "The user in the path is merged into another user.");
    const { generation, generationStart } = this.#owner.core;
    const isErasedSince = generationStart !== null && requested <= generationStart;
    if (isErasedSince || this.#owner.erasures().isRunning(generation))
      return busy("The user in the path is being erased.");
    this.#storage.transactionSync(() => this.incoming.prepare(source, Date.now() / 1000));
    return ok(this.target());
  }

  /** Returns what another user that is merged into this one has to observe. */
  target(): MergeTarget {
    const { generation, state } = this.#owner.core;
    return { generation, precision: state.profile.precision };
  }

  stage(source: MergeSource, page: StagedPage): boolean {
    return this.#storage.transactionSync(() => this.incoming.stage(source, page));
  }

  commit(
    application: string,
    userId: string,
    source: MergeSource,
    commit: MergeCommit,
  ): MergeCommitted | null {
    const { core } = this.#owner;
    if (this.#owner.erasures().isRunning(core.generation)) return null;
    return core.transaction(application, userId, (state) => {
      const answer = this.incoming.commit(state, source, commit, core.generation, Date.now() / 1000);
      this.#owner.removeFinerReceipts(state);
      return answer;
    });
  }

  cancel(source: MergeSource): boolean {
    return this.#storage.transactionSync(() => this.incoming.cancel(source));
  }

  /** Removes a profile that was stored after the profile of this merged user was removed, and must not stay. */
  async removeLateProfile(application: string, userId: string): Promise<void> {
    const { frozen } = this.outgoing;
    if (!frozen || !isAfter(frozen.phase, "settings")) return;
    const user = { userId, pseudonym: this.#owner.pseudonym, generation: frozen.generation };
    unwrap(await this.#env.USER.eraseRecords(application, user, "merged"), "the user service");
  }

  /**
   * Returns the users under whose names data of this user is stored: itself, and those that were merged into it. A user
   * that was merged into another has none.
   */
  dataOwners(userId: string): Pick<UserGeneration, "userId" | "pseudonym">[] {
    if (this.outgoing.isMerged) return [];
    const merged = this.incoming.sources().filter(({ isCommitted }) => isCommitted);
    return [
      { userId, pseudonym: this.#owner.pseudonym },
      ...merged.map(({ userId: id, pseudonym }) => ({ userId: id, pseudonym })),
    ];
  }
}

/** Returns the refusal of a merge that has to wait. */
const busy = (detail: string) =>
  refuse("conflict", `${detail} Send the request again later.`, { retryAfter: 5 });
