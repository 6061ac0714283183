import { encodeProfile } from "../../../model/profile/codec.ts";
import { coarserOf } from "../../../shared/consent/levels.ts";
import type { MergeCancellation, MergeStore } from "../../../shared/contracts/merge.ts";
import type { Precision } from "../../../shared/contracts/primitives.ts";
import type { Refusal } from "../../../shared/contracts/result.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { ExperimentCountsTable } from "../../../shared/experiments/experiment-counts.ts";
import { decodeContent, encodeContent } from "../ingest/sent-content.ts";
import { phaseAfter } from "../jobs/phases.ts";
import type { SessionState } from "../session-state.ts";
import type { SessionStore } from "../store/session-store.ts";
import { coarsenMoved } from "./coarsen-moved.ts";
import type {
  EarlierMerge,
  MergeCommitted,
  MergeSource,
  MergeTargetObject,
  StagedPage,
} from "./merge-messages.ts";
import { type MergePhase, type MergeState, mergePhases } from "./merge-state.ts";

/** Rows of the journal in one page. */
const eventsPerPage = 500;
/** Receipts in one page. Each holds up to 100 kB until its click window closes. */
const receiptsPerPage = 20;
/** Rows of the user database in one page. */
const rowsPerPage = 500;
/**
 * How long an import of history may still write rows that it has read from this object, in seconds. No row that arrives
 * later is stored.
 */
const importSeconds = 30;

/** The bindings that a merge uses. */
export type MergeEnvironment = Pick<UserSessionEnv, "USER" | "LOCATION" | "DB">;

/** What a merge needs of the object of the user that is merged. */
export interface MergeOwner {
  pseudonym: string;
  store: SessionStore;
  state(): SessionState;
  /** Returns the object of another user. */
  target(pseudonym: string): MergeTargetObject;
  /** Returns the users that were merged into this one before. */
  earlierMerges(): EarlierMerge[];
  /**
   * Deletes everything and starts the generation after `generation`, within the caller's transaction. Returns the id of
   * the erasure that waits for the merge, and erases what is left under the user's name; null if there is none.
   */
  endGeneration(generation: number): string | null;
  /** Begins to erase this user, because the user that stays was erased during the merge. */
  eraseWithTarget(state: Pick<MergeState, "id" | "application" | "userId" | "generation">): void;
}

/** The stored states of merges. */
export interface StoredStates {
  /** Returns whether a merge is still running. */
  isRunning(id: string): boolean;
  put(state: MergeState): void;
}

/**
 * The result of a step: the next state, the seconds to wait at least before the step is repeated, or that
 * the step has stored the next state itself.
 */
export type StepResult = { next: MergeState } | { wait: number } | "stored";

/** The steps of a merge. Each may be repeated. */
export class MergeSteps {
  readonly #storage: DurableObjectStorage;
  readonly #env: MergeEnvironment;
  readonly #owner: MergeOwner;
  readonly #states: StoredStates;

  constructor(storage: DurableObjectStorage, env: MergeEnvironment, owner: MergeOwner, states: StoredStates) {
    this.#storage = storage;
    this.#env = env;
    this.#owner = owner;
    this.#states = states;
  }

  /** Runs one step. Throws if a service fails; the caller repeats the step. */
  async run(state: MergeState, now: number): Promise<StepResult> {
    if (state.isCancelling) return this.#cancel(state, now);
    return this.#phases[state.phase](state, now);
  }

  #target({ intoPseudonym }: MergeState): MergeTargetObject {
    return this.#owner.target(intoPseudonym ?? "");
  }

  #source({ userId, generation }: MergeState): MergeSource {
    return { userId: userId ?? "", pseudonym: this.#owner.pseudonym, generation };
  }

  #into(state: MergeState): MergeSource {
    const { intoUserId, intoPseudonym, committed } = state;
    return {
      userId: intoUserId ?? "",
      pseudonym: intoPseudonym ?? "",
      generation: committed?.generation ?? 0,
    };
  }

  /** Asks the target whether the merge is committed: then it continues, else it ends. */
  async #cancel(state: MergeState, now: number): Promise<StepResult> {
    if (await this.#target(state).cancelMerge(this.#source(state)))
      return { next: cancelled(state, "from_erased", now) };
    return { next: { ...state, isCancelling: false, phase: "commit", position: null } };
  }

  readonly #phases: Record<MergePhase, (state: MergeState, now: number) => Promise<StepResult>> = {
    prepare: async (state, now) => {
      const answer = await this.#target(state).prepareMerge(this.#source(state), state.requested);
      if (!answer.ok) return { next: refused(state, answer.error, now) };
      return { next: { ...nextPhase(state), precision: answer.value.precision } };
    },
    drain: async (state, now) => {
      const { store } = this.#owner;
      const waiting = this.#owner.state().openRows.size;
      if (waiting > 0) return { wait: 0 };
      const imported = store.lastImportedAt();
      if (imported !== null && now - imported < importSeconds) return { wait: 1 };
      return { next: nextPhase(state) };
    },
    close: async (state) => {
      const { USER } = this.#env;
      unwrap(await USER.closeMergedGeneration(state.application, this.#source(state)), "the user service");
      return { next: nextPhase(state) };
    },
    events: async (state, now) => {
      const page = this.#owner.store
        .eventsAfter(state.position ?? "", eventsPerPage)
        .map((row) => ({ ...row, content: withoutLocation(row.content) }));
      return this.#stage(state, now, "events", page, { events: page, receipts: [] });
    },
    receipts: async (state, now) => {
      const { store } = this.#owner;
      const page = store.receipts
        .after(state.position ?? "", receiptsPerPage)
        .map((receipt) => ({ ...receipt, outcomes: store.receipts.outcomes(receipt.id) }));
      return this.#stage(state, now, "receipts", page, { events: [], receipts: page });
    },
    commit: (state, now) => this.#commit(state, now),
    interactions: async (state) => {
      const { application, userId, position } = state;
      const { USER } = this.#env;
      const { known } = committedOf(state);
      const precision = await this.#presentPrecision(state);
      const rows = unwrap(
        await USER.readHistory(application, userId ?? "", position ?? "", rowsPerPage),
        "the user service",
      );
      const last = rows.at(-1);
      if (!last) return { next: nextPhase(state) };
      const coarsen = coarsenMoved(this.#env.LOCATION);
      const from = this.#precision;
      await Promise.all(
        rows.map(async (row) => {
          if (row.lat === null || row.lon === null) return;
          const point = await coarsen({ lat: row.lat, lon: row.lon }, from, precision);
          row.lat = point?.lat ?? null;
          row.lon = point?.lon ?? null;
        }),
      );
      unwrap(
        await USER.insertHistory(application, this.#into(state), this.#source(state), rows, known),
        "the user service",
      );
      return { next: moved(state, "interactions", rows.length, last.event_id) };
    },
    locations: async (state) => {
      const { application, userId, position } = state;
      const { USER } = this.#env;
      const { seqOffset } = committedOf(state);
      const precision = await this.#presentPrecision(state);
      const visits = unwrap(
        await USER.readVisits(application, userId ?? "", Number(position ?? 0), rowsPerPage),
        "the user service",
      );
      const last = visits.at(-1);
      if (!last) return { next: nextPhase(state) };
      const coarsen = coarsenMoved(this.#env.LOCATION);
      const points = await Promise.all(visits.map((visit) => coarsen(visit, visit.precision, precision)));
      const kept = visits.flatMap((visit, i) => {
        const point = points[i];
        if (point === null) return [];
        const level = coarserOf(visit.precision, precision);
        return [{ ...visit, lat: point.lat, lon: point.lon, precision: level, seq: visit.seq + seqOffset }];
      });
      if (kept.length > 0)
        unwrap(
          await USER.recordLocations(application, [{ ...this.#into(state), visits: kept }]),
          "the user service",
        );
      return { next: moved(state, "locations", visits.length, String(last.seq)) };
    },
    settings: async (state) => {
      const { application, userId, intoUserId } = state;
      const settings = unwrap(
        await this.#env.USER.adoptProfile(application, userId ?? "", this.#into(state)),
        "the user service",
      );
      if (settings)
        unwrap(
          await this.#target(state).setUserSettings(application, intoUserId ?? "", settings),
          "the user object",
        );
      return { next: nextPhase(state) };
    },
    records: async (state) => {
      const { application } = state;
      const removed = unwrap(
        await this.#env.USER.eraseRecords(application, this.#source(state), "merged"),
        "the user service",
      );
      const { pseudonym } = this.#owner;
      const counts = await new ExperimentCountsTable(this.#env.DB).eraseUsers(application, [pseudonym]);
      const rows = removed.interactions + removed.locations + removed.profiles + counts;
      const after = moved(state, "records", rows, null);
      return { next: removed.more ? after : nextPhase(after) };
    },
    object: async (state, now) => {
      await this.#target(state).finishMerge(this.#source(state));
      // The target may have been erased meanwhile, and this user with it.
      if (!this.#states.isRunning(state.id)) return "stored";
      this.#storage.transactionSync(() => {
        const erasureId = this.#owner.endGeneration(state.generation);
        this.#states.put({
          ...{ ...nextPhase(state), erasureId },
          ...{ status: "done", completed: now, due: null, userId: null, intoUserId: null, committed: null },
        });
      });
      return "stored";
    },
    finished: async (state, now) => ({ next: { ...state, status: "done", completed: now } }),
  };

  /** Returns the precision of the target now, or at the commit if that was coarser. */
  async #presentPrecision(state: MergeState): Promise<Precision> {
    return coarserOf(committedOf(state).precision, (await this.#target(state).mergeTarget()).precision);
  }

  get #precision(): Precision {
    return this.#owner.state().profile.precision;
  }

  /** Sends a page to the target, and continues after it; an empty page ends the phase. */
  async #stage(
    state: MergeState,
    now: number,
    store: MergeStore,
    items: readonly { id: string }[],
    page: StagedPage,
  ): Promise<StepResult> {
    const last = items.at(-1);
    if (!last) return { next: nextPhase(state) };
    if (!(await this.#target(state).stageMerge(this.#source(state), page)))
      return { next: cancelled(state, "into_erased", now) };
    return { next: moved(state, store, items.length, last.id) };
  }

  /** Commits the merge in the target. A repeated commit gets the answer of the first. */
  async #commit(state: MergeState, now: number): Promise<StepResult> {
    const session = this.#owner.state();
    const to = state.precision ?? session.profile.precision;
    const profile = { ...session.profile };
    const precision = coarserOf(profile.precision, to);
    const { location } = profile;
    const point = location && (await coarsenMoved(this.#env.LOCATION)(location, profile.precision, to));
    profile.location = location && point && { ...point, time: location.time };
    if (precision !== profile.precision) {
      profile.unconfirmedLocation = null;
      profile.places = new Map();
    }
    const answer = await this.#target(state).commitMerge(
      state.application,
      state.intoUserId ?? "",
      this.#source(state),
      {
        profile: encodeProfile(profile),
        sourcePrecision: profile.precision,
        precision,
        seq: session.seq,
        counts: this.#owner.store.experimentCounts(),
        earlier: this.#owner.earlierMerges(),
      },
    );
    if (answer === null) return { next: cancelled(state, "into_erased", now) };
    return { next: { ...moved(nextPhase(state), "profile", 1, null), committed: answer } };
  }
}

/** Returns the state at the beginning of the next phase. */
const nextPhase = (state: MergeState): MergeState => ({
  ...state,
  phase: phaseAfter(mergePhases, state.phase),
  position: null,
});

/** Returns the state after `count` rows of a store were moved; the phase continues at `position`. */
const moved = (state: MergeState, store: MergeStore, count: number, position: string | null): MergeState => ({
  ...state,
  position,
  moved: { ...state.moved, [store]: (state.moved[store] ?? 0) + count },
});

/** Returns the state of a cancelled merge, after which the user takes events again. */
const cancelled = (state: MergeState, reason: MergeCancellation, now: number): MergeState => ({
  ...state,
  ...{ status: "cancelled", reason, completed: now, due: null, isFrozen: false, isCancelling: false },
  ...{ userId: null, intoUserId: null, intoPseudonym: null, committed: null },
});

/** Returns the state of a merge that the target refused. */
const refused = (state: MergeState, refusal: Refusal, now: number): MergeState => ({
  ...cancelled(state, refusal.code === "user_merged" ? "into_merged" : "into_erased", now),
  refusal,
});

/** Returns what a client said in an event without its location, which may be finer than the target allows. */
const withoutLocation = (content: string | null): string | null =>
  content === null ? null : encodeContent({ ...decodeContent(content), location: null });

function committedOf({ committed, id }: MergeState): MergeCommitted {
  if (committed === null) throw new Error(`Merge ${id} copies rows before its commit.`);
  return committed;
}
