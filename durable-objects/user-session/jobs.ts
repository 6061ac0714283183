import type { Erasure } from "../../shared/contracts/erasure.ts";
import { errorText } from "../../shared/errors/error-text.ts";
import { daySeconds } from "../../shared/time/seconds.ts";
import type { Coarsenings } from "./consent/coarsenings.ts";
import type { Erasures } from "./erasures.ts";
import type { Impressions } from "./impressions/impressions.ts";
import { AlarmSchedule } from "./jobs/alarm-schedule.ts";
import type { Listeners } from "./listeners.ts";
import type { MergeSource } from "./merges/merge-messages.ts";
import type { UserMerges } from "./merges/user-merges.ts";
import { isDue, resendSeconds, sendDueRows } from "./outbox.ts";
import { receiptDaysOf } from "./receipt-days.ts";
import type { SessionCore } from "./session-core.ts";

/** Interval between deletions of expired rows, in seconds. */
const pruneIntervalSeconds = daySeconds;
/**
 * Maximum time that one call or alarm spends on merges, erasures or coarsenings, in milliseconds. The next alarm
 * continues.
 */
const maxAdvanceMs = 2000;

/** The parts of a user's object that have work for its alarm. */
export interface JobsOwner {
  pseudonym: string;
  core: SessionCore;
  merges: UserMerges;
  erasures: Erasures;
  coarsenings: Coarsenings;
  impressions: Impressions;
  listeners: Listeners;
}

/**
 * What a user's object continues by its alarm: merges, erasures, coarsenings, click windows, its outbox and deletions.
 */
export class Jobs {
  readonly #storage: DurableObjectStorage;
  readonly #env: UserSessionEnv;
  readonly #owner: JobsOwner;
  readonly #alarm: AlarmSchedule;
  /** How long event ids and receipts are stored. */
  readonly #retentionSeconds: number;

  constructor(storage: DurableObjectStorage, env: UserSessionEnv, owner: JobsOwner) {
    this.#storage = storage;
    this.#env = env;
    this.#owner = owner;
    this.#alarm = new AlarmSchedule(storage);
    this.#retentionSeconds = receiptDaysOf(env) * daySeconds;
  }

  /** Reads when the alarm is scheduled, so that {@link schedule} does not wait for it after a change. */
  loadAlarm(): Promise<void> {
    return this.#alarm.load();
  }

  /**
   * Schedules the alarm for the next row, click window, WebSocket, erasure or deletion. Each call repairs a missing
   * alarm.
   */
  async schedule(): Promise<void> {
    await this.#alarm.load();
    await this.#alarm.scheduleBy(this.#nextWorkAt());
  }

  /**
   * Schedules the alarm for a click window that closes at `time`, in seconds since the epoch. An alarm that comes before
   * schedules all that follows, so that nothing is read to find what else there is.
   */
  async scheduleClose(time: number): Promise<void> {
    await this.#alarm.load();
    if (!this.#alarm.isScheduledBy(time * 1000)) await this.#alarm.scheduleBy(this.#nextWorkAt());
  }

  /**
   * Postpones the alarm that would send rows again, once all rows are confirmed: it would wake the object for nothing.
   * While a user's rows follow each other quickly it stays, since the next row needs it, and each move is a row written.
   */
  async postponeIfConfirmed(): Promise<void> {
    const { state } = this.#owner.core;
    if (state.openRows.size > 0 || state.secondsBetweenRows < resendSeconds) return;
    await this.#alarm.postponeTo(this.#nextWorkAt());
  }

  /** Returns when the alarm has work, in milliseconds since the epoch; infinity if it has none. */
  #nextWorkAt(): number {
    const { core, merges, erasures, coarsenings, impressions, listeners } = this.#owner;
    let at = Number.POSITIVE_INFINITY;
    const now = Date.now() / 1000;
    for (const { due } of core.state.openRows.values())
      at = Math.min(at, (isDue(due, now) ? now : due) * 1000);
    // The user into whom this one is merged closes the windows.
    const windowClose = merges.outgoing.isRunning ? null : impressions.nextWindowClose;
    if (windowClose !== null) at = Math.min(at, windowClose * 1000);
    const { firstExpiry } = listeners;
    if (firstExpiry !== null) at = Math.min(at, firstExpiry * 1000);
    const jobs = merges.outgoing.isRunning ? merges.outgoing : erasures;
    for (const due of [jobs.due(), coarsenings.due()]) if (due !== null) at = Math.min(at, due * 1000);
    // Expired rows are also deleted for a user who never comes back.
    if (core.state.hasExpiringRows)
      at = Math.min(at, (core.state.prunedAt + this.#retentionSeconds + pruneIntervalSeconds) * 1000);
    return at;
  }

  async #advance(end: number): Promise<void> {
    const { merges, erasures } = this.#owner;
    await merges.outgoing.advance(end);
    // An erasure waits for a merge: it erases the user if the merge is cancelled, and what is left otherwise.
    if (!merges.outgoing.isRunning) await erasures.advance(end);
  }

  /** Continues the running merge and the erasures for a while, and schedules the rest. */
  async continue(): Promise<void> {
    await this.schedule();
    await this.#advance(Date.now() + maxAdvanceMs);
    await this.schedule();
  }

  /** Continues the coarsenings for a while, and schedules the rest. */
  async continueCoarsenings(): Promise<void> {
    await this.schedule();
    await this.#owner.coarsenings.advance(Date.now() + maxAdvanceMs);
    await this.schedule();
  }

  /** Runs the alarm. Never throws, because the platform drops an alarm after a few failures. */
  async runAlarm(): Promise<void> {
    this.#alarm.started();
    const { core, merges, coarsenings, impressions, listeners } = this.#owner;
    try {
      const end = Date.now() + maxAdvanceMs;
      await this.#advance(end);
      await coarsenings.advance(end);
      const now = Date.now() / 1000;
      listeners.closeExpired(now);
      if (!merges.outgoing.isRunning) impressions.closeWindows(now);
      await this.#sendOutbox(now);
      if (core.store.hasTables() && core.state.prunedAt < now - pruneIntervalSeconds) this.#prune(now);
      await this.schedule();
    } catch (error) {
      console.error({ event: "user session alarm failed", error: errorText(error) });
      await this.#alarm.retry();
    }
  }

  #prune(now: number): void {
    const { core } = this.#owner;
    core.change(() =>
      this.#storage.transactionSync(() => core.state.prune(now - this.#retentionSeconds, now)),
    );
  }

  async #sendOutbox(now: number): Promise<void> {
    const { core, pseudonym } = this.#owner;
    const owner = core.owner();
    if (!owner) return;
    const sender = { ...owner, pseudonym, generation: core.generation };
    await sendDueRows(this.#env, core.store, core.state.openRows.values(), sender, now);
  }

  /** Begins to erase the user, or returns the running erasure, and continues it for a while. */
  async erase(application: string, userId: string, id: string): Promise<Erasure> {
    const { core, erasures, merges } = this.#owner;
    if (!core.store.hasTables()) core.store.createTables();
    const now = Date.now() / 1000;
    const begun = erasures.begin(id, { application, userId, generation: core.generation, now });
    merges.outgoing.requestCancel(now);
    // What there was of a merged user belongs to another one. Its training log is erased, and its id is free again.
    if (merges.outgoing.isMerged) merges.outgoing.noteErasure(begun.id);
    await this.continue();
    return erasures.find(application, begun.id) ?? begun;
  }

  /** Erases this user because the user into whom it was merged is being erased. Returns the state of the erasure. */
  async eraseMerged(
    application: string,
    user: Pick<MergeSource, "userId" | "generation">,
    id: string,
  ): Promise<Erasure> {
    const { core, erasures, merges } = this.#owner;
    const start = { application, generation: core.generation, now: Date.now() / 1000 };
    const erasureId = merges.beginErasureWithTarget(application, user, id);
    if (erasureId === null) return erasures.recordEmpty(id, start);
    await this.continue();
    return erasures.find(application, erasureId) ?? erasures.recordEmpty(id, start);
  }
}
