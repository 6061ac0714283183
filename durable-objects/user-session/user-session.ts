import { DurableObject } from "cloudflare:workers";
import type { Coarsening } from "../../shared/contracts/coarsening.ts";
import type { Erasure } from "../../shared/contracts/erasure.ts";
import type { Interaction, ReceivedInteraction } from "../../shared/contracts/event.ts";
import type { Impression, RequestedImpression } from "../../shared/contracts/impression.ts";
import type { Merge } from "../../shared/contracts/merge.ts";
import type { Point, Precision } from "../../shared/contracts/primitives.ts";
import { type ReceiptRecord, receiptRecord } from "../../shared/contracts/receipt.ts";
import { type Requester, trustedRequester } from "../../shared/contracts/requester.ts";
import { ok, type Result, refuse } from "../../shared/contracts/result.ts";
import type { UserGeneration, UserSettings } from "../../shared/services/user-api.ts";
import { KeepAwake, keepAwakeSettingsOf } from "../keep-awake.ts";
import { exportPage, type SessionExportPage, type SessionExportPosition } from "./export-page.ts";
import type { IngestResult } from "./ingest/ingest-event.ts";
import type { ReceivedVisit } from "./ingest/reception.ts";
import { type ListenerRights, listenerOfRequest } from "./listeners.ts";
import type {
  MergeCommit,
  MergeCommitted,
  MergeSource,
  MergeTarget,
  StagedPage,
} from "./merges/merge-messages.ts";
import { isAfter } from "./merges/merge-state.ts";
import { SessionParts } from "./session-parts.ts";
import type { VersionedProfile } from "./session-state.ts";

/** Result of {@link UserSession.ingest}. */
export interface IngestResponse {
  /** One result per event, in the same order; none if nothing was recorded. */
  results: IngestResult[];
  /**
   * The user's consent, if the locations have another precision. Then nothing was recorded: the caller reduces the
   * locations to this precision and calls again. Null if the events were recorded.
   */
  consent: Precision | null;
  /** Whether a WebSocket may be open. */
  hasListeners: boolean;
  /** The generation of the user's data that the rows belong to. */
  generation: number;
}

/** Result of {@link UserSession.setLocation}. */
export interface SetLocationResponse extends Pick<IngestResponse, "consent" | "hasListeners"> {
  isBelieved: boolean;
  /** The user's last location, if the new one is not believed; null if there is none. Time in seconds since the epoch. */
  last: (Point & { time: number }) | null;
}

/** The fields of a received interaction that the caller may leave out. */
const receivedDefaults = { sentTime: null, precision: "exact", stored: false } as const;

/**
 * The Durable Object of one user: profile, location, receipts and an outbox. An event is durable here before it is
 * written to any other store.
 */
export class UserSession extends DurableObject<UserSessionEnv> {
  readonly #parts: SessionParts;
  readonly #keepAwake: KeepAwake;

  constructor(ctx: DurableObjectState, env: UserSessionEnv) {
    super(ctx, env);
    this.#keepAwake = new KeepAwake(ctx, keepAwakeSettingsOf(env));
    this.#parts = new SessionParts(ctx, env);
  }

  /** Refuses a requester whose token ended with an erasure or a merge of the user. */
  checkRequester(requester: Requester): Result<null> {
    return this.#parts.endedToken(requester) ?? ok(null);
  }

  /**
   * Returns the encoded profile, without its bytes if `knownVersion` names them. With `takesShown`, which workers of the
   * version before do not send, only what lists showed since then comes. Refuses a requester whose token has ended. Writes
   * no rows.
   */
  async encodedProfileFor(
    requester: Requester,
    knownVersion: string | null = null,
    takesShown = false,
  ): Promise<Result<VersionedProfile>> {
    const ended = this.#parts.endedToken(requester);
    if (ended) return ended;
    this.#keepAwake.called();
    if (this.#parts.core.state.openRows.size > 0) await this.#parts.jobs.schedule();
    return ok(this.#parts.core.state.versionedProfile(knownVersion, takesShown));
  }

  /**
   * Ingests events in one transaction: drops repeated ones, updates the profile and adds rows to the journal. The
   * caller sends the rows to the queue. The alarm sends rows again that are not confirmed, because the caller failed or
   * a message was lost. With `callerDelivers`, the caller writes all rows to the stores, also those of repeated events,
   * and the outbox does not send them. If that caller fails, a repeated call returns the same rows. `requester` decides
   * how the events count for others, and how many may come in an hour. The caller need not know the user's consent: it
   * reduces the locations to the precision that it supposes, and again if the answer says another one.
   */
  async ingest(
    application: string,
    userId: string,
    events: (Interaction & Partial<ReceivedInteraction>)[],
    callerDelivers: boolean,
    requester: Requester = trustedRequester,
  ): Promise<Result<IngestResponse>> {
    const ended = this.#parts.endedToken(requester);
    if (ended) return ended;
    this.#keepAwake.called();
    await this.#parts.jobs.loadAlarm();
    if (this.#parts.merges.outgoing.frozen) return mergedUser;
    const received = events.map((event) => ({ ...receivedDefaults, ...event }));
    const ingested = await this.#parts.reception.ingest(
      application,
      userId,
      received,
      requester,
      callerDelivers,
    );
    if (!ingested.ok) return ingested;
    const { consent, recorded } = ingested.value;
    const generation = this.#parts.core.generation;
    if (recorded !== null) await this.#parts.jobs.schedule();
    return ok({ results: recorded ?? [], consent, hasListeners: this.#parts.listeners.hasOpen, generation });
  }

  /**
   * Sets the current location, which the caller has coarsened to the precision that it supposes the user to allow. If the
   * user allows another one, returns it as `consent` and stores nothing. A location that is not believed is remembered
   * only until the next one confirms it; the answer then says the user's last location. Refuses locations from a user
   * token while too many came in this hour.
   */
  async setLocation(
    application: string,
    userId: string,
    visit: ReceivedVisit,
    requester: Requester = trustedRequester,
  ): Promise<Result<SetLocationResponse>> {
    const ended = this.#parts.endedToken(requester);
    if (ended) return ended;
    if (this.#parts.merges.outgoing.frozen) return mergedUser;
    const received = await this.#parts.reception.setLocation(application, userId, visit, requester);
    if (!received.ok) return received;
    const { consent, recorded } = received.value;
    const isBelieved = recorded === true;
    if (consent === null) await this.#parts.jobs.schedule();
    const { location } = this.#parts.core.state.profile;
    return ok({
      ...{ consent, isBelieved, hasListeners: this.#parts.listeners.hasOpen },
      last: consent === null && !isBelieved ? location : null,
    });
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
    if (this.#parts.merges.outgoing.frozen) {
      await this.#parts.merges.removeLateProfile(application, userId);
      return mergedUser;
    }
    const begun = await this.#parts.consent.setSettings(application, userId, settings);
    if (begun === null) return ok(null);
    await this.#parts.jobs.continueCoarsenings();
    return ok(this.coarsening(application, begun.id) ?? begun);
  }

  /** Returns a coarsening; null if it does not exist or belongs to another application. */
  coarsening(application: string, id: string): Coarsening | null {
    return this.#parts.consent.coarsenings.find(application, id);
  }

  /**
   * Stores one impression, as {@link recordImpressions} does. Workers of the version before, which may call this object
   * while a deployment runs, store impressions one by one.
   */
  async recordImpression(
    application: string,
    userId: string,
    impression: Impression,
    requester: Requester = trustedRequester,
  ): Promise<void> {
    await this.recordImpressions(application, userId, [{ impression, requester }]);
  }

  /**
   * Stores impressions in one transaction, with the features that the ranker saw, until their click windows close. An
   * impression above the limit of the hour is not stored: nothing counts for it, and it has no receipt.
   */
  async recordImpressions(
    application: string,
    userId: string,
    requested: readonly RequestedImpression[],
  ): Promise<void> {
    const { core, consent, impressions, jobs, merges } = this.#parts;
    const { frozen } = merges.outgoing;
    const accepted = requested.filter(({ impression, requester }) => {
      if (this.#parts.endedToken(requester)) return false;
      const time = shownAt(impression);
      // An impression from before the current generation belongs to an erased one.
      if (time <= (core.generationStart ?? 0)) return false;
      return !frozen || (time <= frozen.requested && !isAfter(frozen.phase, "events"));
    });
    if (accepted.length === 0) return;
    await consent.followDefault(application, userId);
    impressions.store(application, userId, accepted);
    const first = Math.min(...accepted.map(({ impression }) => shownAt(impression)));
    await jobs.scheduleClose(first + impressions.clickWindowSeconds);
  }

  /**
   * Returns the receipt of a recommendation, also of one that another user has since a merge; null if it does not exist
   * or belongs to another application.
   */
  async receipt(application: string, recommendationId: string): Promise<ReceiptRecord | null> {
    if (this.#parts.core.store.hasTables() && this.#parts.core.store.getMeta("application") === application) {
      const stored = this.#parts.core.store.receipts.find(recommendationId);
      if (stored) return receiptRecord.parse(JSON.parse(stored.receipt));
    }
    for (const pseudonym of this.#parts.merges.outgoing.successors(application)) {
      const moved = await this.#parts.session(pseudonym).receipt(application, recommendationId);
      if (moved) return moved;
    }
    return null;
  }

  /**
   * Returns what a recommendation was computed from, as its impression recorded it; null if it is not stored. A merge does
   * not move it.
   */
  async recordedInputs(application: string, recommendationId: string): Promise<ArrayBuffer | null> {
    const { store } = this.#parts.core;
    if (!store.hasTables() || store.getMeta("application") !== application) return null;
    return store.inputs.find(recommendationId);
  }

  /** Closes rows that were delivered. Rows of another generation are ignored. */
  async confirmRows(seqs: number[], generation: number): Promise<void> {
    const { core, jobs, merges } = this.#parts;
    if (!core.store.hasTables() || generation !== core.generation) return;
    // Before the change, so that the alarm is moved in the transaction of the change.
    await jobs.loadAlarm();
    core.change(() => core.state.closeRows(seqs));
    await jobs.postponeIfConfirmed();
    if (!merges.outgoing.isRunning || core.state.openRows.size > 0) return;
    merges.outgoing.wake(Date.now() / 1000);
    await jobs.schedule();
  }

  /**
   * Begins to erase the user in all stores and returns the erasure with id `id`; returns the running erasure if there
   * is one. The erasure is durable before the method returns, and the alarm continues it.
   */
  async erase(application: string, userId: string, id: string): Promise<Erasure> {
    return this.#parts.jobs.erase(application, userId, id);
  }

  /** Erases this user because the user into whom it was merged is being erased. Returns the state of the erasure. */
  async eraseMerged(
    application: string,
    user: Pick<MergeSource, "userId" | "generation">,
    id: string,
  ): Promise<Erasure> {
    return this.#parts.jobs.eraseMerged(application, user, id);
  }

  /**
   * Begins to merge this user into another one and returns the merge; returns the one that is there if there is one.
   * The merge is durable before the method returns, and the alarm continues it. `requester` may have sent this user's
   * token.
   */
  async beginMerge(
    application: string,
    userId: string,
    into: { userId: string; pseudonym: string },
    id: string,
    requester: Requester = trustedRequester,
  ): Promise<Result<Merge>> {
    const begun = await this.#parts.merges.begin(application, userId, into, id, requester);
    if (!begun.ok) return begun;
    this.#parts.listeners.closeAll("merged");
    await this.#parts.jobs.continue();
    return this.#parts.merges.begun(application, begun.value, id);
  }

  /**
   * Returns a merge of this user; null if it does not exist, or `into` is the pseudonym of a user it does not concern.
   */
  merge(application: string, id: string, into: string | null): Promise<Merge | null> {
    return this.#parts.merges.find(application, id, into);
  }

  /** Agrees that another user is merged into this one, as was requested at a time, in seconds since the epoch. */
  prepareMerge(source: MergeSource, requested: number): Result<MergeTarget> {
    return this.#parts.merges.prepare(source, requested);
  }

  /** Returns what another user that is merged into this one has to observe. */
  mergeTarget(): MergeTarget {
    return this.#parts.merges.target();
  }

  /** Stages rows of a user that is merged into this one. Returns false if the merge has ended. */
  stageMerge(source: MergeSource, page: StagedPage): boolean {
    return this.#parts.merges.stage(source, page);
  }

  /** Takes all that was staged, in one transaction; exactly once. Returns null if the merge has ended. */
  async commitMerge(
    application: string,
    userId: string,
    source: MergeSource,
    commit: MergeCommit,
  ): Promise<MergeCommitted | null> {
    const committed = this.#parts.merges.commit(application, userId, source, commit);
    this.#parts.impressions.invalidate();
    await this.#parts.jobs.schedule();
    return committed;
  }

  /** Cancels a merge into this user. Returns false if it is committed. */
  cancelMerge(source: MergeSource): boolean {
    return this.#parts.merges.cancel(source);
  }

  /** Notes that a merge into this user has ended. */
  finishMerge(source: MergeSource): void {
    this.#parts.merges.incoming.finish(source);
  }

  /** Returns the users under whose names data of this user is stored. */
  dataOwners(userId: string): Pick<UserGeneration, "userId" | "pseudonym">[] {
    return this.#parts.merges.dataOwners(userId);
  }

  /** Returns a page of all that this object stores about the user. */
  exportPage(position: SessionExportPosition, limit: number): SessionExportPage {
    return exportPage(this.#parts.core.store, this.#parts.core.state.profile, position, limit);
  }

  /** Returns an erasure; null if it does not exist or belongs to another application. */
  erasure(application: string, id: string): Erasure | null {
    return this.#parts.erasures.find(application, id);
  }

  /** Opens a WebSocket that receives new recommendations. The alarm closes the socket when its credential expires. */
  override async fetch(request: Request): Promise<Response> {
    const { tokenIssuedAt, ...listener } = listenerOfRequest(request.headers);
    if (this.#parts.endedToken({ ...trustedRequester, tokenIssuedAt }))
      return new Response(null, { status: 401 });
    if (this.#parts.merges.outgoing.frozen) return new Response(null, { status: 409 });
    const webSocket = this.#parts.listeners.accept(listener);
    if (webSocket === null) return new Response(null, { status: 429 });
    await this.#parts.jobs.schedule();
    return new Response(null, { status: 101, webSocket });
  }

  /** Returns the rights of the open WebSockets, each once. */
  listenerRights(): ListenerRights[] {
    return this.#parts.listeners.rights;
  }

  /** Sends a text to the open WebSockets with these rights, and closes those whose credential has expired. */
  broadcast(text: string, rights: ListenerRights): void {
    this.#parts.listeners.send(text, rights, Date.now() / 1000);
  }

  override async webSocketMessage(socket: WebSocket): Promise<void> {
    socket.close(1008, "The server accepts no messages.");
  }

  /** Continues what is due. Never throws. */
  override alarm(): Promise<void> {
    return this.#parts.jobs.runAlarm();
  }
}

/** Returns when an impression was shown, in seconds since the epoch. */
const shownAt = ({ receipt }: Impression): number => Date.parse(receipt.time) / 1000;

/** The refusal of whatever would give data to a merged user. */
const mergedUser = refuse(
  "user_merged",
  "The user was merged into another user; send the request for that user.",
);
