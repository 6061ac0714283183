/// <reference types="@cloudflare/vitest-plugin/types" />
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { closeClickWindow } from "../../../durable-objects/user-session/impressions/close-click-window.ts";
import { resendSeconds } from "../../../durable-objects/user-session/outbox.ts";
import { SessionState } from "../../../durable-objects/user-session/session-state.ts";
import { SessionStore } from "../../../durable-objects/user-session/store/session-store.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { countingSettingsOf } from "../../../shared/counting/counting-settings.ts";
import { countRowsWritten } from "../../../shared/testing/rows-written.ts";
import { recommendForAnn, sessionEnvironment } from "../testing/services.ts";
import { profileOf, session, view } from "../testing/user-sessions.ts";

/** Answers a list of five products, and waits until its impression is stored. Returns the products. */
async function listFor(userId: string, more: object = {}): Promise<string[]> {
  const { USER_SESSION } = sessionEnvironment;
  const answer = await recommendForAnn({ USER_SESSION }, { userId, ...more });
  return unwrap(answer, "the recommendation service").items.map(({ productId }) => productId);
}

const shownTo = async (userId: string): Promise<string[]> => [...(await profileOf(userId)).shown.keys()];

const count = (userId: string, sql: string): Promise<number> =>
  runInDurableObject(
    session(userId),
    (_object, { storage }) => storage.sql.exec<{ n: number }>(`SELECT count(*) AS n ${sql}`).one().n,
  );

describe("what lists showed to a user", () => {
  it("is in the profile after the answer, also of an object that woke up, and costs no row of its own", async () => {
    const list = await listFor("ann");
    expect(await shownTo("ann")).toEqual(list);
    expect(await count("ann", "FROM receipts")).toBe(1);
    expect(await count("ann", "FROM snapshot")).toBe(0);
    expect(await count("ann", "FROM journal")).toBe(0);
    const profile = await profileOf("ann");
    await evictDurableObject(session("ann"));
    expect(await profileOf("ann")).toEqual(profile);
  });

  it("is not noted of a list that neither counts looks nor fades by them", async () => {
    await listFor("abe", { shown: "keep" });
    expect(await shownTo("abe")).toEqual([]);
    await evictDurableObject(session("abe"));
    expect(await shownTo("abe")).toEqual([]);
  });

  it("is in the profile after a snapshot too, once", async () => {
    const [first, ...rest] = await listFor("bo");
    for (let n = 0; n < 20; n++)
      unwrap(await session("bo").ingest("demo", "bo", [view(`e${n}`, `other${n}`)], false), "the object");
    expect(await count("bo", "FROM snapshot")).toBe(1);
    unwrap(await session("bo").ingest("demo", "bo", [view("last", first)], false), "the object");
    const profile = await profileOf("bo");
    expect([...profile.shown.keys()]).toEqual(rest);
    await evictDurableObject(session("bo"));
    expect(await profileOf("bo")).toEqual(profile);
    expect([...profile.shown.values()].map(({ looks }) => looks)).toEqual(rest.map(() => 1));
  });

  it("is in a snapshot when its click window closes, which others of the half hour share", async () => {
    await listFor("eva");
    await listFor("eva", { exclude: ["p0", "p1"] });
    const shown = await shownTo("eva");
    expect(shown).toHaveLength(7);
    const closed = await runInDurableObject(session("eva"), (_object, { storage }) => {
      const store = new SessionStore(storage);
      const now = Date.now() / 1000;
      const state = new SessionState(store, now, resendSeconds, "exact");
      const settings = countingSettingsOf({});
      const counts = countRowsWritten(storage);
      const snapshots: number[] = [];
      for (const { id } of store.receipts.openWindows()) {
        const receipt = store.receipts.findOpen(id);
        if (receipt === null) throw new Error("the receipt must be open");
        const before = storage.sql.exec("SELECT * FROM journal").toArray().length;
        const written = counts().rows;
        storage.transactionSync(() =>
          closeClickWindow(store, state, receipt, { now, pseudonym: "a".repeat(64), settings }),
        );
        const added = storage.sql.exec("SELECT * FROM journal").toArray().length - before;
        // One row closes the receipt.
        snapshots.push(counts().rows - written - added - 1);
      }
      return snapshots;
    });
    expect(closed.sort()).toEqual([0, 1]);
    await evictDurableObject(session("eva"));
    expect(await shownTo("eva")).toEqual(shown);
  });

  it("is forgotten with a lowered consent, also by an object that wakes up", async () => {
    await listFor("cleo");
    expect(await shownTo("cleo")).toHaveLength(5);
    const settings = { home: null, precision: "none" as const, version: 1 };
    unwrap(await session("cleo").setUserSettings("demo", "cleo", settings), "the user's object");
    expect(await shownTo("cleo")).toEqual([]);
    await evictDurableObject(session("cleo"));
    expect(await shownTo("cleo")).toEqual([]);
    // What is near a place tells the place: of such a list, nothing is stored.
    await listFor("cleo");
    expect(await shownTo("cleo")).toEqual([]);
  });

  it("is in the export", async () => {
    await listFor("dora");
    const [memory] = (await session("dora").exportPage(null, 10)).items.map((item) => JSON.parse(item));
    expect(Object.keys(memory.memory.shown)).toEqual(await shownTo("dora"));
  });
});
