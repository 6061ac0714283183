import { DurableObject } from "cloudflare:workers";
import { z } from "zod";
import { arrivedThisHour, withArrival } from "../model/profile/activity.ts";
import { defaultConsentOf } from "../shared/consent/default-consent.ts";
import { consentLoweredText, isFiner } from "../shared/consent/levels.ts";
import type { Coarsening } from "../shared/contracts/coarsening.ts";
import type { Erasure } from "../shared/contracts/erasure.ts";
import { receivedInteraction } from "../shared/contracts/event.ts";
import { type Impression, impression } from "../shared/contracts/impression.ts";
import { liveHeaders } from "../shared/contracts/live.ts";
import type { Merge } from "../shared/contracts/merge.ts";
import type { Point, Precision } from "../shared/contracts/primitives.ts";
import { type ReceiptRecord, receiptRecord } from "../shared/contracts/recommendation.ts";
import {
  type Requester,
  requester as requesterInput,
  trustedRequester,
} from "../shared/contracts/requester.ts";
import { ok, parse, type Result, refuse, unwrap } from "../shared/contracts/result.ts";
import { countingSettingsOf } from "../shared/counting/counting-settings.ts";
import { hourlyLimitText, secondsToNextHour } from "../shared/counting/hourly-limit.ts";
import { errorText } from "../shared/errors/error-text.ts";
import { logPseudonymOf } from "../shared/pseudonyms/hashed-names.ts";
import { pseudonymKeysOf } from "../shared/pseudonyms/pseudonym-keys.ts";
import type { UserGeneration, UserSettings } from "../shared/services/user-api.ts";
import { daySeconds } from "../shared/time/seconds.ts";
import { isAnonymousId } from "../shared/users/anonymous-id.ts";
import { clickWindowOf } from "./user-session/click-window.ts";
import { closeClickWindow } from "./user-session/close-click-window.ts";
import { ConsentKeeper } from "./user-session/consent/consent-keeper.ts";
import type { Counting } from "./user-session/count-for-others.ts";
import { refuseEndedToken } from "./user-session/ended-token.ts";
import { Erasures } from "./user-session/erasures.ts";
import {
  exportPage,
  type SessionExportPage,
  type SessionExportPosition,
} from "./user-session/export-page.ts";
import { HourlyImpressions } from "./user-session/hourly-impressions.ts";
import { type IngestResult, ingestEvent } from "./user-session/ingest-event.ts";
import { type ListenerRights, Listeners } from "./user-session/listeners.ts";
import { IncomingMerges } from "./user-session/merges/incoming-merges.ts";
import type {
  MergeCommit,
  MergeCommitted,
  MergeSource,
  MergeTarget,
  StagedPage,
} from "./user-session/merges/merge-messages.ts";
import { isAfter } from "./user-session/merges/merge-state.ts";
import { OutgoingMerges, readerOfMerge } from "./user-session/merges/outgoing-merges.ts";
import { isDue, resendSeconds, sendDueRows } from "./user-session/outbox.ts";
import { receiptDaysOf } from "./user-session/receipt-days.ts";
import { applyVisitToProfile, SessionState } from "./user-session/session-state.ts";
import { SessionStore } from "./user-session/session-store.ts";

/** Maximum number of open rows, which are not confirmed. New events are refused while there are more. */
const maxOpenRows = 5000;
/** Minimum delay of the alarm that sends rows, in milliseconds, so that a burst of rows is sent in one message. */
const sendDelayMs = 50;
/** Interval between deletions of expired rows, in seconds. */
const pruneIntervalSeconds = daySeconds;
/** Delay before a failed alarm runs again, in milliseconds. */
const retryDelayMs = 5000;
/** Maximum time that one call or alarm spends on an erasure, in milliseconds. The next alarm continues. */
const maxErasureMs = 2000;

/** Result of {@link UserSession.ingest}. */
export interface IngestResponse {
  /** One result per event, in the same order. */
  results: IngestResult[];
  /** Whether a WebSocket may be open. */
  hasListeners: boolean;
  /** The generation of the user's data that the rows belong to. */
  generation: number;
}

/** Maximum number of click windows that one alarm closes. */
const maxWindowsPerAlarm = 20;

const ingestInput = z.object({
  events: z.array(receivedInteraction).min(1).max(1000),
  requester: requesterInput,
});

/**
 * The Durable Object of one user: profile, location, receipts and an outbox. An event is durable here before it is
 * written to any other store.
 */
export class UserSession extends DurableObject<RecommendationEnv> {
  readonly #store: SessionStore;
  readonly #clickWindowSeconds: number;
  /** The consent of a user who states none. */
  readonly #defaultConsent: Precision;
  /** How long event ids and receipts are stored. */
  readonly #retentionSeconds: number;
  #cachedState: SessionState | null = null;
  /** Whether the tables exist and name their user. */
  #initialized = false;
  /** When the alarm is scheduled, in milliseconds; null if it is not, undefined until it is read. */
  #alarmAt: number | null | undefined;
  /**
   * Time of the oldest impression whose click window is open, in seconds; null if there is none, undefined until it is
   * read.
   */
  #oldestOpenImpression: number | null | undefined;
  /** How often the user was erased; undefined until it is read. */
  #cachedGeneration: number | undefined;
  readonly #erasures: Erasures;
  readonly #merges: OutgoingMerges;
  readonly #incoming: IncomingMerges;
  readonly #consent: ConsentKeeper;
  readonly #listeners: Listeners;
  readonly #impressions: HourlyImpressions;

  constructor(ctx: DurableObjectState, env: RecommendationEnv) {
    super(ctx, env);
    this.#store = new SessionStore(ctx.storage.sql);
    this.#listeners = new Listeners(ctx);
    this.#impressions = new HourlyImpressions(this.#store);
    this.#erasures = new Erasures(ctx.storage, env, {
      pseudonym: ctx.id.toString(),
      logPseudonym: async () => logPseudonymOf(await pseudonymKeysOf(env), ctx.id.toString()),
      startNextGeneration: (generation) => this.#startNextGeneration(generation),
      refreshSettings: (application, userId) => this.#refreshSettings(application, userId),
      mergedUsers: () => this.#incoming.sources(),
      eraseMergedUser: (user, { application, id }) =>
        this.#session(user.pseudonym).eraseMerged(application, user, id),
    });
    this.#incoming = new IncomingMerges(ctx.storage.sql, this.#store);
    this.#merges = new OutgoingMerges(ctx.storage, env, {
      pseudonym: ctx.id.toString(),
      store: this.#store,
      state: () => this.#state,
      target: (pseudonym) => this.#session(pseudonym),
      earlierMerges: () => this.#incoming.sources(),
      endGeneration: (generation) => this.#endGeneration(generation),
      eraseWithTarget: ({ id, application, userId, generation }) => {
        this.#erasures.begin(id, { application, userId, generation, now: Date.now() / 1000 });
      },
    });
    this.#consent = new ConsentKeeper(ctx.storage.sql, env, {
      pseudonym: ctx.id.toString(),
      defaultConsent: defaultConsentOf(env),
      store: this.#store,
      state: () => this.#state,
      isReceivingRows: () => this.#incoming.hasUnfinished(),
      mergedPseudonyms: () => this.#incoming.sources().map(({ pseudonym }) => pseudonym),
      transaction: (application, userId, change) => this.#transaction(application, userId, change),
      receiptsRemoved: () => {
        this.#oldestOpenImpression = undefined;
      },
    });
    this.#clickWindowSeconds = clickWindowOf(env);
    this.#defaultConsent = defaultConsentOf(env);
    this.#retentionSeconds = receiptDaysOf(env) * daySeconds;
  }

  get #state(): SessionState {
    this.#cachedState ??= new SessionState(
      this.#store,
      Date.now() / 1000,
      resendSeconds,
      this.#defaultConsent,
    );
    return this.#cachedState;
  }

  get #generation(): number {
    this.#cachedGeneration ??= this.#store.hasTables() ? Number(this.#store.getMeta("generation") ?? 0) : 0;
    return this.#cachedGeneration;
  }

  /** Returns by which rules the events of a requester count for others. */
  #countingOf(requester: Requester): Counting {
    return { requester, pseudonym: this.ctx.id.toString(), settings: countingSettingsOf(this.env) };
  }

  /** Returns the stub of another user's object. */
  #session(pseudonym: string): DurableObjectStub<UserSession> {
    return this.env.USER_SESSION.get(this.env.USER_SESSION.idFromString(pseudonym));
  }

  /** Drops everything cached, after a transaction failed or an erasure deleted the tables. */
  #invalidate(): void {
    this.#store.invalidate();
    this.#merges.invalidate();
    this.#cachedGeneration = undefined;
    this.#cachedState = null;
    this.#initialized = false;
    this.#oldestOpenImpression = undefined;
  }

  /** Runs `change` in one transaction over the tables and the state. If `change` fails, both stay as they were. */
  #transaction<T>(application: string, userId: string, change: (state: SessionState) => T): T {
    try {
      return this.ctx.storage.transactionSync(() => {
        if (!this.#initialized) {
          if (!this.#store.hasTables()) this.#store.createTables();
          if (this.#store.getMeta("userId") === null) {
            this.#store.setMeta("application", application);
            this.#store.setMeta("userId", userId);
          }
          this.#initialized = true;
        }
        return change(this.#state);
      });
    } catch (error) {
      this.#invalidate();
      throw error;
    }
  }

  /** Returns the encoded profile; empty for an unknown user. Writes no rows. */
  async encodedProfile(): Promise<Uint8Array> {
    if (this.#state.openRows.size > 0) await this.#scheduleAlarm();
    return this.#state.bytes;
  }

  /**
   * Returns the refusal of a requester whose token ended with an erasure or a merge of the user; null for other
   * requesters.
   */
  #endedToken(requester: Requester) {
    const { frozen } = this.#merges;
    const erasedAt = this.#generation > 0 ? Number(this.#store.getMeta("generationStart")) : null;
    return refuseEndedToken(requester, frozen ? Math.max(frozen.requested, erasedAt ?? 0) : erasedAt);
  }

  /** Refuses a requester whose token ended with an erasure or a merge of the user. */
  checkRequester(requester: Requester): Result<null> {
    return this.#endedToken(requester) ?? ok(null);
  }

  /** Returns the encoded profile as {@link encodedProfile} does, unless the requester's token has ended. */
  async encodedProfileFor(requester: Requester): Promise<Result<Uint8Array>> {
    return this.#endedToken(requester) ?? ok(await this.encodedProfile());
  }

  /**
   * Ingests events in one transaction: drops repeated ones, updates the profile and adds rows to the journal. The
   * caller sends the rows to the queue. The alarm sends rows again that are not confirmed, because the caller failed or
   * a message was lost. With `callerDelivers`, the caller writes all rows to the stores, also those of repeated events,
   * and the outbox does not send them. If that caller fails, a repeated call returns the same rows. `requester` decides how the
   * events count for others, and how many may come in an hour.
   */
  async ingest(
    application: string,
    userId: string,
    events: z.input<typeof receivedInteraction>[],
    callerDelivers: boolean,
    requester: Requester = trustedRequester,
  ): Promise<Result<IngestResponse>> {
    const ended = this.#endedToken(requester);
    if (ended) return ended;
    const parsed = parse(ingestInput, { events, requester });
    if (!parsed.ok) return parsed;
    await this.#loadAlarm();
    if (this.#merges.frozen) return mergedUser;
    await this.#consent.followDefault(application, userId);
    const { profile } = this.#state;
    if (
      parsed.value.events.some(({ location, precision }) => location && isFiner(precision, profile.precision))
    )
      return consentLowered;
    const now = Date.now() / 1000;
    if (!callerDelivers && this.#state.openRows.size > maxOpenRows) return outboxFull;
    const results = this.#transaction(application, userId, (state) => {
      const counting = this.#countingOf(parsed.value.requester);
      const context = { now, callerDelivers, clickWindowSeconds: this.#clickWindowSeconds, counting };
      const list = parsed.value.events.map((event) => ingestEvent(this.#store, state, event, context));
      state.saveSnapshot(callerDelivers);
      return list;
    });
    const generation = this.#generation;
    await this.#scheduleAlarm();
    return ok({ results, hasListeners: this.#listeners.hasOpen, generation });
  }

  /**
   * Sets the current location, which the caller has coarsened to the user's precision. A location that is not believed
   * is remembered only until the next one confirms it. Refuses locations from a user token while too many came in this
   * hour.
   */
  async setLocation(
    application: string,
    userId: string,
    visit: Point & { time: number; precision: Precision },
    requester: Requester = trustedRequester,
  ): Promise<Result<{ hasListeners: boolean; isBelieved: boolean }>> {
    const ended = this.#endedToken(requester);
    if (ended) return ended;
    if (this.#merges.frozen) return mergedUser;
    if (this.#state.openRows.size > maxOpenRows) return outboxFull;
    await this.#consent.followDefault(application, userId);
    if (isFiner(visit.precision, this.#state.profile.precision)) return consentLowered;
    const now = Date.now() / 1000;
    const { locations } = arrivedThisHour(this.#state.profile.activity, now);
    if (requester.tokenIssuedAt !== null && locations >= countingSettingsOf(this.env).hourlyLocations)
      return refuse("rate_limited", hourlyLimitText("locations"), { retryAfter: secondsToNextHour(now) });
    const isBelieved = this.#transaction(application, userId, (state) => {
      const believed = applyVisitToProfile(state.profile, visit);
      state.profile.activity = withArrival(state.profile.activity, "locations", now);
      state.profileChanged();
      const row = { ...visit, version: state.profile.settingsVersion };
      if (believed) state.addRow("locations", `location:${crypto.randomUUID()}`, now, row, now);
      // No row of the journal contains a location that is not believed, so only the snapshot does.
      state.saveSnapshot(!believed);
      return believed;
    });
    await this.#scheduleAlarm();
    return ok({ hasListeners: this.#listeners.hasOpen, isBelieved });
  }

  /**
   * Sets the settings of the profile, unless a newer version is stored. Returns the coarsening that a lowered consent
   * begins; it is durable before the method returns, and the alarm continues it.
   */
  async setUserSettings(
    application: string,
    userId: string,
    settings: UserSettings,
  ): Promise<Result<Coarsening | null>> {
    const { frozen } = this.#merges;
    if (frozen) {
      // The caller has stored a profile of the merged user, which must not stay.
      if (isAfter(frozen.phase, "settings"))
        await this.#removeMergedProfile(application, userId, frozen.generation);
      return mergedUser;
    }
    const begun = await this.#consent.setSettings(application, userId, settings);
    if (begun === null) return ok(null);
    await this.#scheduleAlarm();
    await this.#consent.coarsenings.advance(Date.now() + maxErasureMs);
    await this.#scheduleAlarm();
    return ok(this.coarsening(application, begun.id) ?? begun);
  }

  async #removeMergedProfile(application: string, userId: string, generation: number): Promise<void> {
    const user = { userId, pseudonym: this.ctx.id.toString(), generation };
    unwrap(await this.env.USER.eraseRecords(application, user, "merged"), "the user service");
  }

  /** Returns a coarsening; null if it does not exist or belongs to another application. */
  coarsening(application: string, id: string): Coarsening | null {
    return this.#consent.coarsenings.find(application, id);
  }

  /**
   * Stores an impression with the features that the ranker saw, until its click window closes. An impression above the
   * limit of the hour is not stored: nothing counts for it, and it has no receipt.
   */
  async recordImpression(
    application: string,
    userId: string,
    shown: Impression,
    requester: Requester = trustedRequester,
  ): Promise<void> {
    if (this.#endedToken(requester)) return;
    const parsed = impression.parse(shown);
    const time = Date.parse(parsed.receipt.time) / 1000;
    // An impression from before the current generation belongs to an erased one.
    if (this.#generation > 0 && time <= Number(this.#store.getMeta("generationStart"))) return;
    const { frozen } = this.#merges;
    if (frozen && (time > frozen.requested || isAfter(frozen.phase, "events"))) return;
    await this.#consent.followDefault(application, userId);
    // The consent was lowered while the recommendation was computed.
    const { precision, source } = parsed.receipt.location;
    if (source !== "none" && isFiner(precision, this.#state.profile.precision)) return;
    const now = Date.now() / 1000;
    if (!this.#impressions.isBelowLimit(now, requester, countingSettingsOf(this.env))) return;
    this.#transaction(application, userId, (state) => {
      this.#store.putReceipt({
        id: parsed.receipt.recommendationId,
        time,
        receipt: JSON.stringify(parsed.receipt),
        rows: JSON.stringify({
          featureHash: parsed.featureHash,
          rows: parsed.rows,
          isVouched: requester.isVouched,
        }),
        features: parsed.features,
      });
      state.receiptAdded();
    });
    this.#impressions.added(now);
    if (this.#oldestOpenImpression === null || (this.#oldestOpenImpression ?? 0) > time)
      this.#oldestOpenImpression = time;
    await this.#scheduleAlarm();
  }

  /**
   * Returns the receipt of a recommendation, also of one that another user has since a merge; null if it does not exist
   * or belongs to another application.
   */
  async receipt(application: string, recommendationId: string): Promise<ReceiptRecord | null> {
    if (this.#store.hasTables() && this.#store.getMeta("application") === application) {
      const stored = this.#store.receipt(recommendationId);
      if (stored) return receiptRecord.parse(JSON.parse(stored.receipt));
    }
    for (const pseudonym of this.#merges.successors(application)) {
      const moved = await this.#session(pseudonym).receipt(application, recommendationId);
      if (moved) return moved;
    }
    return null;
  }

  /** Closes rows that were delivered. Rows of another generation are ignored. */
  async confirmRows(seqs: number[], generation: number): Promise<void> {
    if (!this.#store.hasTables() || generation !== this.#generation) return;
    try {
      this.#state.closeRows(seqs);
    } catch (error) {
      this.#invalidate();
      throw error;
    }
    if (!this.#merges.isRunning || this.#state.openRows.size > 0) return;
    this.#merges.wake(Date.now() / 1000);
    await this.#scheduleAlarm();
  }

  /**
   * Begins to erase the user in all stores and returns the erasure with id `id`; returns the running erasure if there
   * is one. The erasure is durable before the method returns, and the alarm continues it.
   */
  async erase(application: string, userId: string, id: string): Promise<Erasure> {
    if (!this.#store.hasTables()) this.#store.createTables();
    const now = Date.now() / 1000;
    const start = { application, userId, generation: this.#generation, now };
    const begun = this.#erasures.begin(id, start);
    this.#merges.requestCancel(now);
    // What there was of a merged user belongs to another one. Its training log is erased, and its id is free again.
    if (this.#merges.isMerged) this.#merges.noteErasure(begun.id);
    await this.#continue();
    return this.#erasures.find(application, begun.id) ?? begun;
  }

  /** Erases this user because the user into whom it was merged is being erased. Returns the state of the erasure. */
  async eraseMerged(
    application: string,
    { userId, generation }: Pick<MergeSource, "userId" | "generation">,
    id: string,
  ): Promise<Erasure> {
    const now = Date.now() / 1000;
    const start = { application, userId, generation: this.#generation, now };
    const merge = this.#merges.ofGeneration(generation);
    if (merge === null) return this.#erasures.recordEmpty(id, start);
    // An erasure of this user may be running already, or be done. A later user may have the same id by now.
    const erasureId = merge.erasureId ?? this.#erasures.begin(id, start).id;
    if (merge.erasureId === null) this.#merges.abandon(merge, erasureId, now);
    else this.#merges.forgetTarget(merge);
    await this.#continue();
    return this.#erasures.find(application, erasureId) ?? this.#erasures.recordEmpty(id, start);
  }

  /** Continues the running merge and the erasures for a while, and schedules the rest. */
  async #continue(): Promise<void> {
    await this.#scheduleAlarm();
    const end = Date.now() + maxErasureMs;
    await this.#merges.advance(end);
    // An erasure waits for a merge: it erases the user if the merge is cancelled, and what is left otherwise.
    if (!this.#merges.isRunning) await this.#erasures.advance(end);
    await this.#scheduleAlarm();
  }

  /**
   * Begins to merge this user into another one and returns the merge; returns the one that is there if there is one. The
   * merge is durable before the method returns, and the alarm continues it. `requester` may have sent this user's token.
   */
  async beginMerge(
    application: string,
    userId: string,
    into: { userId: string; pseudonym: string },
    id: string,
    requester: Requester = trustedRequester,
  ): Promise<Result<Merge>> {
    const reader = await readerOfMerge(id, into.pseudonym);
    const generation = this.#generation;
    if (!this.#merges.frozen) {
      // The user of an anonymous session, and one whose token the caller holds, may have done nothing.
      const isKnown = isAnonymousId(userId) || requester.tokenIssuedAt !== null || this.#owner() !== null;
      if (!isKnown) return refuse("not_found", "There is no user with the id in `from`.");
      const ended = this.#endedToken(requester);
      if (ended) return ended;
      if (this.#erasures.isRunning(generation)) return busy("The user in `from` is being erased.");
      if (this.#incoming.hasUnfinished())
        return busy("Another user is being merged into the user in `from`.");
      if (this.#consent.coarsenings.isRunning())
        return busy("What is stored about the user in `from` is being coarsened.");
    }
    if (!this.#store.hasTables()) this.#store.createTables();
    const begun = this.#merges.begin({
      id,
      application,
      userId,
      generation,
      into,
      reader,
      now: Date.now() / 1000,
    });
    if (!begun.ok) return begun;
    this.#listeners.closeAll("merged");
    await this.#continue();
    const refusal = this.#merges.takeRefusal(id);
    if (refusal) return { ok: false, error: refusal };
    return ok(this.#merges.announce(application, begun.value.id) ?? begun.value);
  }

  /** Returns a merge of this user; null if it does not exist, or `into` is the pseudonym of a user it does not concern. */
  async merge(application: string, id: string, into: string | null): Promise<Merge | null> {
    return this.#merges.find(application, id, into && (await readerOfMerge(id, into)));
  }

  /** Agrees that another user is merged into this one, as was requested at a time, in seconds since the epoch. */
  prepareMerge(source: MergeSource, requested: number): Result<MergeTarget> {
    if (this.#merges.frozen)
      return refuse("user_merged", "The user in the path is merged into another user.");
    const isErasedSince = this.#generation > 0 && requested <= Number(this.#store.getMeta("generationStart"));
    if (isErasedSince || this.#erasures.isRunning(this.#generation))
      return busy("The user in the path is being erased.");
    this.ctx.storage.transactionSync(() => this.#incoming.prepare(source, Date.now() / 1000));
    return ok(this.mergeTarget());
  }

  /** Returns what another user that is merged into this one has to observe. */
  mergeTarget(): MergeTarget {
    return { generation: this.#generation, precision: this.#state.profile.precision };
  }

  /** Stages rows of a user that is merged into this one. Returns false if the merge has ended. */
  stageMerge(source: MergeSource, page: StagedPage): boolean {
    return this.ctx.storage.transactionSync(() => this.#incoming.stage(source, page));
  }

  /** Takes all that was staged, in one transaction; exactly once. Returns null if the merge has ended. */
  async commitMerge(
    application: string,
    userId: string,
    source: MergeSource,
    commit: MergeCommit,
  ): Promise<MergeCommitted | null> {
    if (this.#erasures.isRunning(this.#generation)) return null;
    const committed = this.#transaction(application, userId, (state) => {
      const answer = this.#incoming.commit(state, source, commit, this.#generation, Date.now() / 1000);
      this.#consent.removeFinerReceipts(state);
      return answer;
    });
    this.#oldestOpenImpression = undefined;
    await this.#scheduleAlarm();
    return committed;
  }

  /** Cancels a merge into this user. Returns false if it is committed. */
  cancelMerge(source: MergeSource): boolean {
    return this.ctx.storage.transactionSync(() => this.#incoming.cancel(source));
  }

  /** Notes that a merge into this user has ended. */
  finishMerge(source: MergeSource): void {
    this.#incoming.finish(source);
  }

  /**
   * Returns the users under whose names data of this user is stored: itself, and those that were merged into it. A user
   * that was merged into another has none.
   */
  dataOwners(userId: string): Pick<UserGeneration, "userId" | "pseudonym">[] {
    if (this.#merges.isMerged) return [];
    const merged = this.#incoming.sources().filter(({ isCommitted }) => isCommitted);
    return [
      { userId, pseudonym: this.ctx.id.toString() },
      ...merged.map(({ userId: id, pseudonym }) => ({ userId: id, pseudonym })),
    ];
  }

  /** Returns a page of all that this object stores about the user. */
  exportPage(position: SessionExportPosition, limit: number): SessionExportPage {
    return exportPage(this.#store, this.#state.profile, position, limit);
  }

  /** Returns an erasure; null if it does not exist or belongs to another application. */
  erasure(application: string, id: string): Erasure | null {
    return this.#erasures.find(application, id);
  }

  /** Deletes everything about the user and starts the next generation, within the transaction of the erasure. */
  #startNextGeneration(erased: number): { rows: number; receipts: number } {
    this.#listeners.closeAll("erased");
    this.#consent.coarsenings.stop();
    const deleted = this.#store.startNextGeneration(erased + 1, Date.now() / 1000);
    this.#incoming.clear();
    this.#merges.release();
    this.#invalidate();
    return deleted;
  }

  /**
   * Deletes everything about a merged user, within the transaction that ends the merge. Returns the id of the erasure
   * that waited for it; null if there is none.
   */
  #endGeneration(generation: number): string | null {
    this.#startNextGeneration(generation);
    return this.#erasures.continueInNextGeneration(generation, Date.now() / 1000);
  }

  /** Reads the settings of the profile again, which may have changed while the user was being erased. */
  async #refreshSettings(application: string, userId: string): Promise<void> {
    const before = this.#state.profile.settingsVersion;
    const stored = unwrap(await this.env.USER.getSettings(application, userId), "the user service");
    const settings = stored ?? { home: null, precision: null, version: 0 };
    // A call to setUserSettings meanwhile has stored newer settings.
    if (settings.version === before || this.#state.profile.settingsVersion !== before) return;
    this.#transaction(application, userId, (state) => {
      state.profile.settingsVersion = 0;
    });
    await this.#consent.setSettings(application, userId, settings);
  }

  /** Opens a WebSocket that receives new recommendations. The alarm closes the socket when its credential expires. */
  override async fetch(request: Request): Promise<Response> {
    const until = z.coerce.number().positive().parse(request.headers.get(liveHeaders.until));
    const issued = request.headers.get(liveHeaders.tokenIssuedAt);
    const tokenIssuedAt = issued === null ? null : z.coerce.number().parse(issued);
    if (this.#endedToken({ ...trustedRequester, tokenIssuedAt })) return new Response(null, { status: 401 });
    if (this.#merges.frozen) return new Response(null, { status: 409 });
    const mayKnowPlace = request.headers.get(liveHeaders.mayKnowPlace) === "yes";
    const isVouched = request.headers.get(liveHeaders.isVouched) === "yes";
    const webSocket = this.#listeners.accept({ until, mayKnowPlace, isVouched });
    if (webSocket === null) return new Response(null, { status: 429 });
    await this.#scheduleAlarm();
    return new Response(null, { status: 101, webSocket });
  }

  /** Returns the rights of the open WebSockets, each once. */
  listenerRights(): ListenerRights[] {
    return this.#listeners.rights;
  }

  /** Sends a text to the open WebSockets with these rights, and closes those whose credential has expired. */
  broadcast(text: string, rights: ListenerRights): void {
    this.#listeners.send(text, rights, Date.now() / 1000);
  }

  override async webSocketMessage(socket: WebSocket): Promise<void> {
    socket.close(1008, "The server accepts no messages.");
  }

  /** When the next click window closes, seconds since the epoch; null if none is open. */
  get #nextWindowClose(): number | null {
    if (this.#oldestOpenImpression === undefined)
      this.#oldestOpenImpression = this.#store.hasTables() ? this.#store.oldestOpenReceipt() : null;
    return this.#oldestOpenImpression && this.#oldestOpenImpression + this.#clickWindowSeconds;
  }

  async #loadAlarm(): Promise<void> {
    if (this.#alarmAt === undefined) this.#alarmAt = await this.ctx.storage.getAlarm();
  }

  /**
   * Schedules the alarm for the next row, click window, WebSocket, erasure or deletion. Each call repairs a missing
   * alarm.
   */
  async #scheduleAlarm(): Promise<void> {
    await this.#loadAlarm();
    let at = Number.POSITIVE_INFINITY;
    const now = Date.now() / 1000;
    for (const { due } of this.#state.openRows.values())
      at = Math.min(at, (isDue(due, now) ? now : due) * 1000);
    // The user into whom this one is merged closes the windows.
    const windowClose = this.#merges.isRunning ? null : this.#nextWindowClose;
    if (windowClose !== null) at = Math.min(at, windowClose * 1000);
    const { firstExpiry } = this.#listeners;
    if (firstExpiry !== null) at = Math.min(at, firstExpiry * 1000);
    const jobs = this.#merges.isRunning ? this.#merges : this.#erasures;
    for (const due of [jobs.due(), this.#consent.coarsenings.due()])
      if (due !== null) at = Math.min(at, due * 1000);
    // Expired rows are also deleted for a user who never comes back.
    if (this.#state.hasExpiringRows)
      at = Math.min(at, (this.#state.prunedAt + this.#retentionSeconds + pruneIntervalSeconds) * 1000);
    if (at === Number.POSITIVE_INFINITY) return;
    at = Math.max(Date.now() + sendDelayMs, at);
    if ((this.#alarmAt ?? Number.POSITIVE_INFINITY) <= at) return;
    this.#alarmAt = at;
    await this.ctx.storage.setAlarm(at);
  }

  /**
   * Continues erasures, closes click windows, sends due rows and deletes expired rows. Never throws, because the
   * platform drops an alarm after a few failures.
   */
  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    try {
      const end = Date.now() + maxErasureMs;
      await this.#merges.advance(end);
      if (!this.#merges.isRunning) await this.#erasures.advance(end);
      await this.#consent.coarsenings.advance(end);
      const now = Date.now() / 1000;
      this.#listeners.closeExpired(now);
      this.#closeWindows(now);
      await this.#sendOutbox(now);
      if (this.#store.hasTables() && this.#state.prunedAt < now - pruneIntervalSeconds) this.#prune(now);
      await this.#scheduleAlarm();
    } catch (error) {
      console.error({ event: "user session alarm failed", error: errorText(error) });
      this.#alarmAt = Date.now() + retryDelayMs;
      await this.ctx.storage.setAlarm(this.#alarmAt);
    }
  }

  #prune(now: number): void {
    try {
      this.ctx.storage.transactionSync(() => this.#state.prune(now - this.#retentionSeconds, now));
    } catch (error) {
      this.#invalidate();
      throw error;
    }
  }

  /** Returns the user of this object; null before anything is stored. */
  #owner(): { application: string; userId: string } | null {
    if (!this.#store.hasTables()) return null;
    const application = this.#store.getMeta("application");
    const userId = this.#store.getMeta("userId");
    return application === null || userId === null ? null : { application, userId };
  }

  #closeWindows(now: number): void {
    const owner = this.#owner();
    if (this.#merges.isRunning) return;
    if (!owner || (this.#nextWindowClose ?? Number.POSITIVE_INFINITY) > now) return;
    for (const receipt of this.#store.receiptsToClose(now - this.#clickWindowSeconds, maxWindowsPerAlarm)) {
      this.#oldestOpenImpression = undefined;
      this.#transaction(owner.application, owner.userId, (state) =>
        closeClickWindow(this.#store, state, receipt, {
          now,
          pseudonym: this.ctx.id.toString(),
          settings: countingSettingsOf(this.env),
        }),
      );
    }
  }

  async #sendOutbox(now: number): Promise<void> {
    const owner = this.#owner();
    if (!owner) return;
    const sender = { ...owner, pseudonym: this.ctx.id.toString(), generation: this.#generation };
    await sendDueRows(this.env, this.#store, this.#state.openRows.values(), sender, now);
  }
}

/** The refusal of whatever would give data to a merged user. */
const mergedUser = refuse(
  "user_merged",
  "The user was merged into another user; send the request for that user.",
);

/** Returns the refusal of a merge that has to wait. */
const busy = (detail: string) =>
  refuse("conflict", `${detail} Send the request again later.`, { retryAfter: 5 });

/** The refusal of a location that the caller has not coarsened as much as the user's consent demands by now. */
const consentLowered = refuse("conflict", consentLoweredText, { retryAfter: 1 });

/** The refusal of new rows while too many are open. Accepted rows are never dropped. */
const outboxFull = refuse(
  "rate_limited",
  "Too many events and locations of this user are not delivered yet. Send the request again later.",
  { retryAfter: resendSeconds },
);
