import { DurableObject } from "cloudflare:workers";
import { z } from "zod";
import { applyInteraction, isFirst, previousChoices } from "../model/person/apply.ts";
import { decodePerson, encodePerson } from "../model/person/codec.ts";
import { newPerson, type Person } from "../model/person/person.ts";
import {
  type AcceptedInteraction,
  type Interaction,
  interaction,
} from "../workers/shared/contracts/event.ts";
import { type Impression, impression } from "../workers/shared/contracts/impression.ts";
import type { Point, Precision } from "../workers/shared/contracts/primitives.ts";
import type { InteractionsMessage, LocationsMessage, OutboxRow } from "../workers/shared/contracts/queues.ts";
import {
  type RecommendationReceipt,
  recommendationReceipt,
} from "../workers/shared/contracts/recommendation.ts";
import { ok, parse, type Result, refuse } from "../workers/shared/contracts/result.ts";
import type { PersonSettings } from "../workers/shared/contracts/services.ts";
import { locationHint } from "../workers/shared/geo/coarsen.ts";
import { localOffset } from "../workers/shared/geo/local-time.ts";
import { exampleOf } from "./user-session/examples.ts";
import { type OpenRow, type OutboxQueue, SessionStore } from "./user-session/store.ts";

/** Rows that wait for their confirmation; beyond, new events are refused for a while. */
const mostOpenRows = 5000;
/** The outbox leaves so many milliseconds after the first event, so that a burst is one message. */
const gatherMs = 50;
/** A row that was sent so many seconds ago and is not confirmed is sent again. */
const resendSeconds = 30;
/** Rows and bytes of one message; the platform's bound is 128 KB. */
const rowsPerMessage = 100;
const bytesPerMessage = 96_000;
/** Seconds after which what was not clicked counts as not wanted ... */
const clickWindowSeconds = 1800;
/** ... and within which a purchase corrects that. */
const purchaseWindowSeconds = 7 * 86_400;
/** Event ids and receipts are kept so long, in seconds: events may be a week late. */
const keptSeconds = 8 * 86_400;
/** A failed alarm is tried again after so many milliseconds. */
const retryMs = 5000;
const mostListeners = 8;

/** The object of a person. Its id is their pseudonym. */
export function sessionOf(
  sessions: DurableObjectNamespace<UserSession>,
  application: string,
  userId: string,
  near: Point | null,
): DurableObjectStub<UserSession> {
  const id = sessions.idFromName(`${application}:${userId}`);
  return sessions.get(id, near ? { locationHint: locationHint(near) } : {});
}

/** What became of each event of a call, in its order. */
export type Acceptance = "accepted" | "duplicate";

/** What `record` answers. */
export interface Recorded {
  acceptance: Acceptance[];
  /** Rows of these events, where the caller delivers them itself. */
  message: InteractionsMessage | null;
  /** Whether somebody listens on a WebSocket. */
  listened: boolean;
}

const recordInput = z.array(interaction).min(1).max(1000);

/** A person: what they did and where they are, in one place; events are durable here before they are anywhere else. */
export class UserSession extends DurableObject<RecommendationEnv> {
  readonly #store: SessionStore;
  #person: Person | null = null;

  constructor(ctx: DurableObjectState, env: RecommendationEnv) {
    super(ctx, env);
    this.#store = new SessionStore(ctx.storage.sql);
  }

  #load(): Person {
    if (!this.#person) {
      const stored = this.#store.exists() ? this.#store.person() : null;
      this.#person = stored ? decodePerson(stored) : newPerson();
    }
    return this.#person;
  }

  /** One transaction over tables and the person in memory: where it fails, both are as before. */
  #change<T>(application: string, userId: string, change: (person: Person) => T): T {
    try {
      return this.ctx.storage.transactionSync(() => {
        this.#store.migrate();
        if (this.#store.get("userId") === null) {
          this.#store.set("application", application);
          this.#store.set("userId", userId);
        }
        const person = this.#load();
        const result = change(person);
        this.#store.putPerson(encodePerson(person));
        return result;
      });
    } catch (error) {
      this.#person = null;
      throw error;
    }
  }

  /** The person as bytes; empty for someone unknown. Writes nothing. */
  async state(): Promise<Uint8Array> {
    await this.#watch();
    return this.#store.exists() ? (this.#store.person() ?? new Uint8Array()) : new Uint8Array();
  }

  /**
   * Takes events: drops repeated ones, learns from the rest and keeps their rows, all in one transaction. With
   * `deliver` the caller brings the rows to the records itself, repeated ones too: until it has answered, it has promised
   * nothing, and whoever asks it again finds the same rows.
   */
  async record(
    application: string,
    userId: string,
    events: Interaction[],
    deliver: boolean,
  ): Promise<Result<Recorded>> {
    const parsed = parse(recordInput, events);
    if (!parsed.ok) return parsed;
    const now = Date.now() / 1000;
    if (!deliver && this.#store.exists() && this.#store.openCount() > mostOpenRows)
      return refuse("rate_limited", "More events of this person wait than can be kept.", { retryAfter: 30 });
    const rows: OutboxRow[] = [];
    const acceptance = this.#change(application, userId, (person) =>
      parsed.value.map((event): Acceptance => {
        const known = this.#store.known(event.eventId);
        if (!known) rows.push(this.#accept(person, event, now, !deliver));
        else if (deliver)
          rows.push({ kind: "interaction", seq: known.seq, interaction: recalled(person, event) });
        return known ? "duplicate" : "accepted";
      }),
    );
    await this.#schedule();
    return ok({
      acceptance,
      message: deliver ? { application, userId, object: this.ctx.id.toString(), rows } : null,
      listened: this.ctx.getWebSockets().length > 0,
    });
  }

  #accept(person: Person, event: Interaction, now: number, byOutbox: boolean): OutboxRow {
    const accepted: AcceptedInteraction = {
      ...event,
      first: isFirst(person, event.productId),
      previous: previousOf(person, event),
    };
    const offset = localOffset(
      event.facts.lat ?? event.at?.lat ?? null,
      event.facts.lon ?? event.at?.lon ?? null,
      event.time,
    );
    applyInteraction(person, event, offset);
    const row = { kind: "interaction", interaction: accepted } as const;
    const seq = this.#store.add("interactions", event.eventId, now, byOutbox ? row : null);
    if (event.recommendationId !== null) this.#noteOutcome(event, event.recommendationId, now);
    return { ...row, seq };
  }

  /** Joins an event to the impression that it came from: into its example, or as a correction where that has left. */
  #noteOutcome(event: Interaction, recommendationId: string, now: number): void {
    const receipt = this.#store.receipt(recommendationId);
    if (!receipt) return;
    if (receipt.rows !== null) this.#store.addOutcome(recommendationId, event.productId, event.type);
    else if (event.type === "purchase" && event.time - receipt.time <= purchaseWindowSeconds) {
      const correction = {
        recommendationId,
        productId: event.productId,
        outcome: event.type,
        time: event.time,
      };
      this.#store.add("interactions", `correction:${event.eventId}`, now, {
        kind: "correction",
        correction,
      });
    }
  }

  /** A new place, already at the person's precision. */
  async setLocation(
    application: string,
    userId: string,
    visit: Point & { time: number; precision: Precision },
  ): Promise<{ listened: boolean }> {
    const now = Date.now() / 1000;
    this.#change(application, userId, (person) => {
      if (person.location === null || visit.time >= person.location.time)
        person.location = { lat: visit.lat, lon: visit.lon, time: visit.time };
      this.#store.add("locations", `location:${crypto.randomUUID()}`, now, visit);
    });
    await this.#schedule();
    return { listened: this.ctx.getWebSockets().length > 0 };
  }

  /** What the profile says now; the newest version is kept. A coarser precision forgets the finer place. */
  setPerson(application: string, userId: string, settings: PersonSettings): void {
    this.#change(application, userId, (person) => {
      if (settings.version < person.settingsVersion) return;
      if (settings.precision !== person.precision) person.location = null;
      person.settingsVersion = settings.version;
      person.home = settings.home;
      person.precision = settings.precision;
    });
  }

  /** Keeps what was shown and what the ranker saw, until its outcome is known. */
  async impression(application: string, userId: string, shown: Impression): Promise<void> {
    const parsed = impression.parse(shown);
    this.ctx.storage.transactionSync(() => {
      this.#store.migrate();
      if (this.#store.get("userId") === null) {
        this.#store.set("application", application);
        this.#store.set("userId", userId);
      }
      this.#store.putReceipt({
        id: parsed.receipt.recommendationId,
        time: Date.parse(parsed.receipt.time) / 1000,
        receipt: JSON.stringify(parsed.receipt),
        rows: JSON.stringify({ featureHash: parsed.featureHash, rows: parsed.rows }),
      });
    });
    await this.#schedule();
  }

  /** The receipt of a decision, for the application that asked for it. */
  receipt(application: string, recommendationId: string): RecommendationReceipt | null {
    if (!this.#store.exists() || this.#store.get("application") !== application) return null;
    const stored = this.#store.receipt(recommendationId);
    return stored ? recommendationReceipt.parse(JSON.parse(stored.receipt)) : null;
  }

  /** Rows are where they belong: only now are they done. */
  confirm(seqs: number[]): void {
    if (this.#store.exists()) this.#store.confirm(seqs);
  }

  /** Nothing of the person is left here. */
  async erase(): Promise<void> {
    for (const socket of this.ctx.getWebSockets()) socket.close(1000, "erased");
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
    this.#person = null;
  }

  /** Opens a WebSocket that hears of fresh recommendations. */
  override async fetch(): Promise<Response> {
    if (this.ctx.getWebSockets().length >= mostListeners) return new Response(null, { status: 429 });
    const pair = new WebSocketPair();
    this.ctx.acceptWebSocket(pair[1]);
    return new Response(null, { status: 101, webSocket: pair[0] });
  }

  /** Tells all listeners. */
  broadcast(text: string): void {
    for (const socket of this.ctx.getWebSockets()) socket.send(text);
  }

  override async webSocketMessage(socket: WebSocket): Promise<void> {
    socket.close(1008, "nothing is expected here");
  }

  /** Rows without an alarm would wait forever: whoever comes by sets one. */
  async #watch(): Promise<void> {
    if (this.#store.exists() && (await this.ctx.storage.getAlarm()) === null) await this.#schedule();
  }

  async #schedule(): Promise<void> {
    const oldest = this.#store.oldestSent();
    const receipt = this.#store.oldestOpenReceipt();
    const times: number[] = [];
    if (oldest !== null) times.push(oldest === 0 ? Date.now() + gatherMs : (oldest + resendSeconds) * 1000);
    if (receipt !== null) times.push((receipt + clickWindowSeconds) * 1000);
    if (times.length === 0) return;
    const at = Math.max(Date.now() + gatherMs, Math.min(...times));
    const set = await this.ctx.storage.getAlarm();
    if (set === null || set > at) await this.ctx.storage.setAlarm(at);
  }

  /** Sends, closes windows, forgets. Never throws: a failed alarm would be given up by the platform after a few tries. */
  override async alarm(): Promise<void> {
    try {
      const now = Date.now() / 1000;
      this.#closeWindows(now);
      await this.#send(now);
      this.#store.prune(now - keptSeconds);
      await this.#schedule();
    } catch (error) {
      console.error({ event: "outbox not sent", error: String(error) });
      await this.ctx.storage.setAlarm(Date.now() + retryMs);
    }
  }

  #closeWindows(now: number): void {
    for (const { id, receipt, rows } of this.#store.closing(now - clickWindowSeconds, 20))
      this.ctx.storage.transactionSync(() => {
        const shown = impression.parse({ receipt: JSON.parse(receipt), ...JSON.parse(rows ?? "{}") });
        const example = exampleOf(shown, this.#store.outcomes(id));
        if (example) this.#store.add("interactions", `example:${id}`, now, { kind: "example", example });
        this.#store.closeReceipt(id);
      });
  }

  async #send(now: number): Promise<void> {
    const application = this.#store.get("application");
    const userId = this.#store.get("userId");
    if (application === null || userId === null) return;
    const origin = { application, userId, object: this.ctx.id.toString() };
    const due = this.#store.open(now - resendSeconds, 1000);
    for (const queue of ["interactions", "locations"] satisfies OutboxQueue[])
      for (const part of parts(due.filter((row) => row.queue === queue))) {
        const rows = part.map(({ seq, body }) => ({ ...JSON.parse(body), seq }));
        if (queue === "interactions")
          await this.env.INTERACTIONS.send({ ...origin, rows } satisfies InteractionsMessage);
        else await this.env.LOCATIONS.send({ ...origin, rows } satisfies LocationsMessage);
        this.#store.markSent(
          part.map(({ seq }) => seq),
          now,
        );
      }
  }
}

const previousOf = (person: Person, event: Interaction): AcceptedInteraction["previous"] =>
  previousChoices(person, event.time)
    .filter(({ productId, time }) => productId !== event.productId || time !== event.time)
    .map(({ productId, cell }) => ({ productId, cell }));

/** The row of an event that was taken before, as far as the person remembers. */
const recalled = (person: Person, event: Interaction): AcceptedInteraction => ({
  ...event,
  first: person.products.get(event.productId)?.first === event.time,
  previous: previousOf(person, event),
});

/** Rows in messages that the queue takes. */
function parts(rows: OpenRow[]): OpenRow[][] {
  const list: OpenRow[][] = [];
  let bytes = 0;
  for (const row of rows) {
    const last = list.at(-1);
    if (!last || last.length >= rowsPerMessage || bytes + row.body.length > bytesPerMessage) {
      list.push([row]);
      bytes = row.body.length;
    } else {
      last.push(row);
      bytes += row.body.length;
    }
  }
  return list;
}
