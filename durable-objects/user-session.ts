import { DurableObject } from "cloudflare:workers";
import { z } from "zod";
import type { Erasure } from "../shared/contracts/erasure.ts";
import { type Interaction, interaction } from "../shared/contracts/event.ts";
import { type Impression, impression } from "../shared/contracts/impression.ts";
import { liveHeaders } from "../shared/contracts/live.ts";
import type { Point, Precision } from "../shared/contracts/primitives.ts";
import { type RecommendationReceipt, recommendationReceipt } from "../shared/contracts/recommendation.ts";
import { ok, parse, type Result, refuse, unwrap } from "../shared/contracts/result.ts";
import type { UserSettings } from "../shared/contracts/services.ts";
import { errorText } from "../shared/errors/error-text.ts";
import { locationHint } from "../shared/geo/coarsen.ts";
import { clickWindowOf } from "./user-session/click-window.ts";
import { closeWindow } from "./user-session/close-window.ts";
import { Erasures } from "./user-session/erasures.ts";
import { type ExportPage, type ExportPosition, exportPage } from "./user-session/export-page.ts";
import { type IngestResult, ingestEvent } from "./user-session/ingest.ts";
import { Listeners } from "./user-session/listeners.ts";
import { isDue, resendSeconds, sendDue } from "./user-session/outbox.ts";
import { receiptDaysOf } from "./user-session/receipt-days.ts";
import { applyVisit, SessionMemory } from "./user-session/session-memory.ts";
import { SessionStore } from "./user-session/store.ts";

/** Rows that wait for their confirmation; beyond, new events are refused for a while. */
const maxOpenRows = 5000;
/** What nobody else sends leaves so many milliseconds later, so that a burst is one message. */
const gatherMs = 50;
/** What is kept for a while is looked through so often, in seconds. */
const pruneSeconds = 86_400;
/** A failed alarm is tried again after so many milliseconds. */
const retryMs = 5000;
/** One call, and one alarm, erases for at most so many milliseconds; the next alarm goes on. */
const erasingMs = 2000;

/**
 * The object of a profile. Its id, a hash of their name, is their pseudonym. It is reached by that alone: of an object that is
 * reached by its name the platform remembers the name, and this one must be able to forget whose it was.
 */
export function userSession(
  sessions: DurableObjectNamespace<UserSession>,
  application: string,
  userId: string,
  near: Point | null,
): DurableObjectStub<UserSession> {
  const id = sessions.idFromString(sessions.idFromName(`${application}:${userId}`).toString());
  return sessions.get(id, near ? { locationHint: locationHint(near) } : {});
}

/** What `record` answers. */
export interface Ingested {
  /** In the order of the events. */
  taken: IngestResult[];
  /** Whether somebody listens on a WebSocket. */
  listened: boolean;
  /** The life that the rows belong to. */
  generation: number;
}

const recordInput = z.array(interaction).min(1).max(1000);

/** A person: what they did and where they are, in one place; events are durable here before they are anywhere else. */
export class UserSession extends DurableObject<RecommendationEnv> {
  readonly #store: SessionStore;
  readonly #clickWindowSeconds: number;
  /** Event ids and receipts are kept so long. */
  readonly #keptSeconds: number;
  #memory: SessionMemory | null = null;
  /** Whether the tables are there and know whose they are. */
  #settled = false;
  /** When the alarm is set to, in milliseconds; null for not at all, undefined where that was not asked yet. */
  #alarmAt: number | null | undefined;
  /** When the oldest impression whose window is open was shown, seconds; undefined where that was not asked yet. */
  #oldestShown: number | null | undefined;
  /** How often the person was erased; undefined where that was not asked yet. */
  #generation: number | undefined;
  readonly #erasures: Erasures;
  readonly #listeners: Listeners;

  constructor(ctx: DurableObjectState, env: RecommendationEnv) {
    super(ctx, env);
    this.#store = new SessionStore(ctx.storage.sql);
    this.#listeners = new Listeners(ctx);
    this.#erasures = new Erasures(ctx.storage, env, {
      object: ctx.id.toString(),
      beginAnew: (generation) => this.#beginAnew(generation),
      settle: (application, userId) => this.#settle(application, userId),
    });
    this.#clickWindowSeconds = clickWindowOf(env);
    this.#keptSeconds = receiptDaysOf(env) * 86_400;
  }

  get #known(): SessionMemory {
    this.#memory ??= new SessionMemory(this.#store, Date.now() / 1000, resendSeconds);
    return this.#memory;
  }

  get #life(): number {
    this.#generation ??= this.#store.exists() ? Number(this.#store.get("generation") ?? 0) : 0;
    return this.#generation;
  }

  #forget(): void {
    this.#store.forget();
    this.#generation = undefined;
    this.#memory = null;
    this.#settled = false;
    this.#oldestShown = undefined;
  }

  /** One transaction over tables and memory: where it fails, both are as before. */
  #change<T>(application: string, userId: string, change: (memory: SessionMemory) => T): T {
    try {
      return this.ctx.storage.transactionSync(() => {
        if (!this.#settled) {
          if (!this.#store.exists()) this.#store.migrate();
          if (this.#store.get("userId") === null) {
            this.#store.set("application", application);
            this.#store.set("userId", userId);
          }
          this.#settled = true;
        }
        return change(this.#known);
      });
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  /** The person as bytes; empty for someone unknown. Writes nothing. */
  async state(): Promise<Uint8Array> {
    if (this.#known.open.size > 0) await this.#schedule();
    return this.#known.bytes;
  }

  /**
   * Takes events: drops repeated ones, learns from the rest and keeps their rows, all in one transaction. The caller
   * sends the rows to the records; what it has not sent when it dies is sent from here, as is what got lost on the way. With `deliver` the caller brings the rows to the records itself, repeated ones too: until it has answered, it
   * has promised nothing, and whoever asks it again finds the same rows.
   */
  async ingest(
    application: string,
    userId: string,
    events: Interaction[],
    deliver: boolean,
  ): Promise<Result<Ingested>> {
    const parsed = parse(recordInput, events);
    if (!parsed.ok) return parsed;
    await this.#askAlarm();
    const now = Date.now() / 1000;
    if (!deliver && this.#known.open.size > maxOpenRows) return tooMany;
    const taken = this.#change(application, userId, (memory) => {
      const terms = { now, deliver, clickWindowSeconds: this.#clickWindowSeconds };
      const list = parsed.value.map((event) => ingestEvent(this.#store, memory, event, terms));
      memory.snapshot(deliver);
      return list;
    });
    const generation = this.#life;
    await this.#schedule();
    return ok({ taken, listened: this.#listeners.any, generation });
  }

  /** A new place, already at the person's precision. */
  async setLocation(
    application: string,
    userId: string,
    visit: Point & { time: number; precision: Precision },
  ): Promise<Result<{ listened: boolean }>> {
    if (this.#known.open.size > maxOpenRows) return tooMany;
    const now = Date.now() / 1000;
    this.#change(application, userId, (memory) => {
      applyVisit(memory.profile, visit);
      memory.changed();
      memory.add("locations", `location:${crypto.randomUUID()}`, now, visit, now);
      memory.snapshot(false);
    });
    await this.#schedule();
    return ok({ listened: this.#listeners.any });
  }

  /** What the profile says now; the newest version is kept. Another precision forgets the places of the one before. */
  setUserSettings(application: string, userId: string, settings: UserSettings): void {
    this.#change(application, userId, (memory) => {
      const { profile } = memory;
      if (settings.version < profile.settingsVersion) return;
      if (settings.precision !== profile.precision) {
        profile.location = null;
        profile.places.clear();
      }
      profile.settingsVersion = settings.version;
      profile.home = settings.home;
      profile.precision = settings.precision;
      memory.changed();
      memory.snapshot(true);
    });
  }

  /** Keeps what was shown and what the ranker saw, until its outcome is known. */
  async impression(application: string, userId: string, shown: Impression): Promise<void> {
    const parsed = impression.parse(shown);
    const time = Date.parse(parsed.receipt.time) / 1000;
    // What was shown to somebody who is erased since is not theirs who came after.
    if (this.#life > 0 && time <= Number(this.#store.get("begun"))) return;
    this.#change(application, userId, (memory) => {
      this.#store.putReceipt({
        id: parsed.receipt.recommendationId,
        time,
        receipt: JSON.stringify(parsed.receipt),
        rows: JSON.stringify({ featureHash: parsed.featureHash, rows: parsed.rows }),
        features: parsed.features,
      });
      memory.keptReceipt();
    });
    if (this.#oldestShown === null || (this.#oldestShown ?? 0) > time) this.#oldestShown = time;
    await this.#schedule();
  }

  /** The receipt of a decision, for the application that asked for it. */
  receipt(application: string, recommendationId: string): RecommendationReceipt | null {
    if (!this.#store.exists() || this.#store.get("application") !== application) return null;
    const stored = this.#store.receipt(recommendationId);
    return stored ? recommendationReceipt.parse(JSON.parse(stored.receipt)) : null;
  }

  /** Rows of a life are where they belong: only now are they done. */
  confirm(seqs: number[], generation: number): void {
    if (!this.#store.exists() || generation !== this.#life) return;
    try {
      this.#known.close(seqs);
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  /**
   * Begins to erase the person everywhere, or joins what has begun; `id` names what begins. It is durable before this
   * answers, and the alarm goes on with it.
   */
  async erase(application: string, userId: string, id: string): Promise<Erasure> {
    if (!this.#store.exists()) this.#store.migrate();
    const now = Date.now() / 1000;
    const begun = this.#erasures.begin(id, { application, userId, generation: this.#life, now });
    await this.#schedule();
    await this.#erasures.advance(Date.now() + erasingMs);
    await this.#schedule();
    return this.#erasures.find(application, begun.id) ?? begun;
  }

  /** A page of all that is held here about the profile. */
  exportPage(position: ExportPosition, limit: number): ExportPage {
    return exportPage(this.#store, this.#known.profile, position, limit);
  }

  /** How far an erasure is; null for none of this application. */
  erasure(application: string, id: string): Erasure | null {
    return this.#erasures.find(application, id);
  }

  /** Within the transaction of the erasure: of the person nothing is left here. */
  #beginAnew(erased: number): { rows: number; receipts: number } {
    this.#listeners.endAll("erased");
    const gone = this.#store.beginAnew(erased + 1, Date.now() / 1000);
    this.#forget();
    return gone;
  }

  /** Takes what the profile says, where it was told while the person was being erased. */
  async #settle(application: string, userId: string): Promise<void> {
    const known = this.#known.profile.settingsVersion;
    const asked = unwrap(await this.env.USER.settings(application, userId), "the user service");
    const settings = asked ?? { home: null, precision: "exact", version: 0 };
    if (settings.version === known || this.#known.profile.settingsVersion !== known) return;
    this.#change(application, userId, (memory) => {
      memory.profile.settingsVersion = 0;
    });
    this.setUserSettings(application, userId, settings);
  }

  /** Opens a WebSocket that hears of fresh recommendations until its credential ends; the alarm ends it then. */
  override async fetch(request: Request): Promise<Response> {
    const until = z.coerce.number().positive().parse(request.headers.get(liveHeaders.until));
    const webSocket = this.#listeners.accept(until);
    if (webSocket === null) return new Response(null, { status: 429 });
    await this.#schedule();
    return new Response(null, { status: 101, webSocket });
  }

  /** Tells all listeners; one whose credential has ended hears that instead. */
  broadcast(text: string): void {
    this.#listeners.tell(text, Date.now() / 1000);
  }

  override async webSocketMessage(socket: WebSocket): Promise<void> {
    socket.close(1008, "nothing is expected here");
  }

  /** When the next click window closes, seconds since the epoch; null for none. */
  get #closesAt(): number | null {
    if (this.#oldestShown === undefined)
      this.#oldestShown = this.#store.exists() ? this.#store.oldestOpenReceipt() : null;
    return this.#oldestShown && this.#oldestShown + this.#clickWindowSeconds;
  }

  async #askAlarm(): Promise<void> {
    if (this.#alarmAt === undefined) this.#alarmAt = await this.ctx.storage.getAlarm();
  }

  /** Rows without an alarm would wait forever: whoever comes by sets one. */
  async #schedule(): Promise<void> {
    await this.#askAlarm();
    let at = Number.POSITIVE_INFINITY;
    const now = Date.now() / 1000;
    for (const { due } of this.#known.open.values()) at = Math.min(at, (isDue(due, now) ? now : due) * 1000);
    const closing = this.#closesAt;
    if (closing !== null) at = Math.min(at, closing * 1000);
    const { firstEnd } = this.#listeners;
    if (firstEnd !== null) at = Math.min(at, firstEnd * 1000);
    const erasing = this.#erasures.due();
    if (erasing !== null) at = Math.min(at, erasing * 1000);
    // Of somebody who does not come back, too, is forgotten what has a lifetime.
    if (this.#known.isPrunable)
      at = Math.min(at, (this.#known.pruned + this.#keptSeconds + pruneSeconds) * 1000);
    if (at === Number.POSITIVE_INFINITY) return;
    at = Math.max(Date.now() + gatherMs, at);
    if ((this.#alarmAt ?? Number.POSITIVE_INFINITY) <= at) return;
    this.#alarmAt = at;
    await this.ctx.storage.setAlarm(at);
  }

  /** Sends, closes windows, forgets. Never throws: a failed alarm would be given up by the platform after a few tries. */
  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    try {
      await this.#erasures.advance(Date.now() + erasingMs);
      const now = Date.now() / 1000;
      this.#listeners.end(now);
      this.#closeWindows(now);
      await this.#send(now);
      if (this.#store.exists() && this.#known.pruned < now - pruneSeconds) this.#prune(now);
      await this.#schedule();
    } catch (error) {
      console.error({ event: "outbox not sent", error: errorText(error) });
      this.#alarmAt = Date.now() + retryMs;
      await this.ctx.storage.setAlarm(this.#alarmAt);
    }
  }

  #prune(now: number): void {
    try {
      this.ctx.storage.transactionSync(() => this.#known.prune(now - this.#keptSeconds, now));
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  /** Whose object this is; null before anything is kept. */
  #owner(): { application: string; userId: string } | null {
    if (!this.#store.exists()) return null;
    const application = this.#store.get("application");
    const userId = this.#store.get("userId");
    return application === null || userId === null ? null : { application, userId };
  }

  #closeWindows(now: number): void {
    const owner = this.#owner();
    if (!owner || (this.#closesAt ?? Number.POSITIVE_INFINITY) > now) return;
    for (const receipt of this.#store.closing(now - this.#clickWindowSeconds, 20)) {
      this.#oldestShown = undefined;
      this.#change(owner.application, owner.userId, (memory) =>
        closeWindow(this.#store, memory, receipt, now),
      );
    }
  }

  async #send(now: number): Promise<void> {
    const owner = this.#owner();
    if (!owner) return;
    const sender = { ...owner, object: this.ctx.id.toString(), generation: this.#life };
    await sendDue(this.env, this.#store, this.#known.open.values(), sender, now);
  }
}

/** Nothing more is taken until the records have confirmed some of what waits: what was taken is never dropped. */
const tooMany = refuse("rate_limited", "More of this person waits for the records than can be kept.", {
  retryAfter: resendSeconds,
});
