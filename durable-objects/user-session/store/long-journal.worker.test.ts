/// <reference types="@cloudflare/vitest-plugin/types" />

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { countRowsWritten } from "../../../shared/testing/rows-written.ts";
import { resendSeconds } from "../outbox.ts";
import { SessionState } from "../session-state.ts";
import { SessionStore } from "./session-store.ts";

const { USER_SESSION } = env as UserSessionEnv;
const start = 1_800_000_000;

/** Returns the state of an object that wakes up, and the number of rows that it reads for it. */
function wakeUp(storage: DurableObjectStorage): { state: SessionState; rowsRead: number } {
  const counts = countRowsWritten(storage);
  const state = new SessionState(new SessionStore(storage), start, resendSeconds, "exact");
  return { state, rowsRead: counts().read };
}

const addRow = (state: SessionState, id: string): number =>
  state.addRow("interactions", id, start, { kind: "correction" }, start + resendSeconds) ?? 0;

const withStorage = (name: string, test: (storage: DurableObjectStorage) => Promise<void> | void) =>
  runInDurableObject(USER_SESSION.get(USER_SESSION.idFromName(name)), (_object, { storage }) => {
    new SessionStore(storage).createTables();
    return test(storage);
  });

describe("a journal of 100,000 rows", () => {
  it("is not read when the object wakes up", () =>
    withStorage("shared", (storage) => {
      const state = new SessionState(new SessionStore(storage), start, resendSeconds, "exact");
      const open: number[] = [];
      storage.transactionSync(() => {
        for (let n = 0; n < 100_000; n++) {
          const seq = addRow(state, `event:${n}`);
          // One in 10,000 is never confirmed.
          if (n % 10_000 === 5) open.push(seq);
          else state.closeRows([seq]);
          state.saveSnapshot(false);
        }
      });
      const last = addRow(state, "event:last");
      const woken = wakeUp(storage);
      expect(woken.rowsRead).toBeLessThan(200);
      expect([...woken.state.openRows.keys()]).toEqual([...open, last]);
      expect(woken.state.seq).toBe(100_001);
      woken.state.closeRows(open);
      expect([...wakeUp(storage).state.openRows.keys()]).toEqual([last]);
    }));

  it("that an earlier version wrote is read once, and then no more", () =>
    withStorage("earlier", (storage) => {
      storage.sql.exec(`
        DROP TABLE snapshot;
        CREATE TABLE snapshot (
          id INTEGER PRIMARY KEY, body BLOB NOT NULL, seq INTEGER NOT NULL, pruned REAL NOT NULL);
        INSERT INTO snapshot VALUES (1, x'', 100000, ${start});
        WITH RECURSIVE n (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < 100000)
        INSERT INTO journal SELECT 'event:' || seq, seq, seq = 7, 'interactions', ${start}, '{}', 0, NULL FROM n;
      `);
      const first = wakeUp(storage);
      expect(first.rowsRead).toBeGreaterThan(100_000);
      first.state.saveSnapshot(true);
      const second = wakeUp(storage);
      expect(second.rowsRead).toBeLessThan(200);
      expect([...second.state.openRows.keys()]).toEqual([7]);
    }));

  it("is found with the rows that were opened again", () =>
    withStorage("reopened", (storage) => {
      const { state } = wakeUp(storage);
      storage.transactionSync(() => {
        for (let n = 0; n < 3000; n++) state.addRow("interactions", `event:${n}`, start, null, null);
        state.saveSnapshot(true);
      });
      const woken = wakeUp(storage);
      expect(woken.rowsRead).toBeLessThan(200);
      woken.state.reopenRow("interactions", "event:3", { kind: "correction" }, start);
      woken.state.saveSnapshot(false);
      const [row] = wakeUp(storage).state.openRows.values();
      expect(row.id).toBe("event:3");
    }));
});

it("a short journal has no index, which would cost a row written for each event", () =>
  withStorage("short", (storage) => {
    const { state } = wakeUp(storage);
    const counts = countRowsWritten(storage);
    addRow(state, "event:1");
    expect(counts().rows).toBe(1);
  }));
