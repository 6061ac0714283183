/// <reference types="@cloudflare/vitest-plugin/types" />

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { resendSeconds, sendDueRows } from "./outbox.ts";
import { SessionState } from "./session-state.ts";
import { SessionStore } from "./store/session-store.ts";
import { QueueOfRows } from "./testing/queue-of-rows.ts";

const { USER_SESSION, INTERACTIONS } = env as UserSessionEnv;
const sender = { application: "demo", userId: "ann", pseudonym: "a".repeat(64), generation: 0 };
const start = 1_800_000_000;

/** The outbox of a user's object that is evicted after each call, so that it remembers nothing but its tables. */
class ForgetfulOutbox {
  readonly queue: QueueOfRows;
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage, queue = new QueueOfRows()) {
    this.#storage = storage;
    this.queue = queue;
    new SessionStore(storage).createTables();
  }

  get #state(): SessionState {
    return new SessionState(new SessionStore(this.#storage), this.queue.now, resendSeconds, "exact");
  }

  get openRows(): number {
    return this.#state.openRows.size;
  }

  /** Adds a row for an event, which the caller sends. Returns its sequence number. */
  add(id: string): number {
    const { now } = this.queue;
    const body = { kind: "correction", correction: { id } };
    return this.#state.addRow("interactions", id, now, body, now + resendSeconds) ?? 0;
  }

  /** Runs the alarms until `until`, each when the object would have scheduled it. */
  async run(until: number): Promise<void> {
    let next = Math.min(...[...this.#state.openRows.values()].map(({ due }) => due));
    while (next <= until) {
      this.queue.now = Math.max(this.queue.now, next);
      const state = this.#state;
      const bindings = { INTERACTIONS: this.queue.binding, LOCATIONS: this.queue.binding };
      const store = new SessionStore(this.#storage);
      await sendDueRows(bindings, store, state.openRows.values(), sender, this.queue.now).catch(
        () => undefined,
      );
      // The alarm is scheduled by what is in memory; the object wakes up when it comes.
      next = Math.max(
        this.queue.now + 5,
        ...[Math.min(...[...state.openRows.values()].map(({ due }) => due))],
      );
      if (state.openRows.size === 0) return;
    }
    this.queue.now = until;
  }

  confirm(seqs: number[]): void {
    this.#state.closeRows(seqs);
  }
}

const withOutbox = (name: string, test: (outbox: ForgetfulOutbox) => Promise<void>): Promise<void> =>
  runInDurableObject(USER_SESSION.get(USER_SESSION.idFromName(name)), (_object, { storage }) =>
    test(new ForgetfulOutbox(storage)),
  );

describe("the outbox of a user's object", () => {
  it("sends less than 1.1 times the messages of its rows while nobody consumes the queue for an hour", () =>
    withOutbox("outage", async (outbox) => {
      const { queue } = outbox;
      queue.now = start;
      const events = 60;
      for (let n = 0; n < events; n++) {
        queue.put([outbox.add(`event:${n}`)]);
        await outbox.run(start + (n + 1) * 60);
      }
      expect(queue.sentCount).toBeLessThan(1.1 * events);
      outbox.confirm(queue.consume());
      expect(outbox.openRows).toBe(0);
    }));

  it("sends a lost message again after a minute, also while the queue holds newer ones", () =>
    withOutbox("lost", async (outbox) => {
      const { queue } = outbox;
      queue.now = start;
      queue.put([outbox.add("event:lost")]);
      queue.lose();
      queue.now = start + 40;
      queue.put([1000]);
      await outbox.run(start + 61);
      expect(queue.consume()).toEqual([1000, 1]);
    }));

  it("sends a row again at once when the queue is down, until it takes the message", () =>
    withOutbox("refused", async (outbox) => {
      const { queue } = outbox;
      queue.now = start;
      queue.isDown = true;
      outbox.add("event:refused");
      await outbox.run(start + 120);
      expect(queue.sentCount).toBe(0);
      queue.isDown = false;
      await outbox.run(start + 130);
      expect(queue.consume()).toEqual([1]);
    }));

  it("sends a row again after two hours, then eight, then daily, whatever the queue holds", () =>
    withOutbox("old", async (outbox) => {
      const { queue } = outbox;
      queue.now = start;
      queue.put([outbox.add("event:old")]);
      const sentAt: number[] = [];
      for (let hour = 1; hour <= 24 * 7; hour++) {
        const before = queue.sentCount;
        await outbox.run(start + hour * 3600 + 1800);
        if (queue.sentCount > before) sentAt.push(hour);
      }
      expect(sentAt[0]).toBe(2);
      expect(sentAt[1]).toBe(8);
      expect(sentAt.length).toBeGreaterThan(6);
      expect(sentAt.length).toBeLessThan(11);
    }));

  it("reads from a real queue when its oldest message was sent", () =>
    withOutbox("real", async (outbox) => {
      const before = Date.now();
      outbox.queue.now = before / 1000 - 100;
      outbox.add("event:real");
      const bindings = { INTERACTIONS, LOCATIONS: INTERACTIONS };
      const storeOf = (storage: DurableObjectStorage) => new SessionStore(storage);
      await runInDurableObject(
        USER_SESSION.get(USER_SESSION.idFromName("real")),
        async (_object, { storage }) => {
          const sendAt = async (now: number) => {
            const state = new SessionState(storeOf(storage), now, resendSeconds, "exact");
            await sendDueRows(bindings, storeOf(storage), state.openRows.values(), sender, now);
            return (await INTERACTIONS.metrics()).backlogCount;
          };
          // The queue is empty, so that the message of the row is lost. Then it holds the message.
          expect(await sendAt(before / 1000)).toBe(1);
          expect(await sendAt(before / 1000 + 2 * resendSeconds)).toBe(1);
        },
      );
    }));
});
