/// <reference types="@cloudflare/vitest-plugin/types" />
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { sessionOf, type UserSession } from "../../durable-objects/user-session.ts";
import { decodePerson } from "../../model/person/codec.ts";
import type { Interaction } from "../shared/contracts/event.ts";

const environment: { USER_SESSION: DurableObjectNamespace<UserSession> } = Object.assign(
  { USER_SESSION: {} as never },
  env,
);
const session = (userId: string) => sessionOf(environment.USER_SESSION, "demo", userId, null);

const view = (eventId: string, productId: string, time = Date.now() / 1000): Interaction => ({
  eventId,
  type: "view",
  productId,
  time,
  recommendationId: null,
  at: { lat: 59.91, lon: 10.75 },
  facts: { cell: "860ec8b37ffffff", lat: 59.91, lon: 10.75, category: "cafe", price: 4 },
});

interface Row {
  [name: string]: SqlStorageValue;
  id: string;
  seq: number;
  open: number;
  sent: number;
}
const rows = (userId: string): Promise<Row[]> =>
  runInDurableObject(session(userId), (_object, state) =>
    state.storage.sql
      .exec<Row>("SELECT id, seq, body IS NOT NULL AS open, sent_at > 0 AS sent FROM outbox ORDER BY seq")
      .toArray(),
  );
const person = async (userId: string) => decodePerson(await session(userId).state());

describe("a person's object", () => {
  it("writes nothing when somebody unknown is read", async () => {
    expect((await session("nobody").state()).byteLength).toBe(0);
    const tables = await runInDurableObject(session("nobody"), (_object, state) =>
      state.storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'outbox'").toArray(),
    );
    expect(tables).toEqual([]);
  });

  it("takes each event once, and knows of it at once", async () => {
    const first = await session("ann").record(
      "demo",
      "ann",
      [view("a", "p1"), view("b", "p2"), view("a", "p1")],
      false,
    );
    const again = await session("ann").record("demo", "ann", [view("b", "p2"), view("c", "p1")], false);
    expect(first.ok && first.value.acceptance).toEqual(["accepted", "accepted", "duplicate"]);
    expect(again.ok && again.value.acceptance).toEqual(["duplicate", "accepted"]);
    const known = await person("ann");
    expect(known.events).toBe(3);
    expect(known.products.get("p1")?.counts[0]).toBe(2);
    expect(known.location).toMatchObject({ lat: 59.91, lon: 10.75 });
  });

  it("keeps a row until it is confirmed, in whatever order that comes, and sends it by its alarm", async () => {
    await session("bo").record("demo", "bo", [view("a", "p1"), view("b", "p1"), view("c", "p1")], false);
    expect((await rows("bo")).map(({ open, sent }) => [open, sent])).toEqual([
      [1, 0],
      [1, 0],
      [1, 0],
    ]);
    expect(await runDurableObjectAlarm(session("bo"))).toBe(true);
    const sent = await rows("bo");
    expect(sent.every((row) => row.sent === 1 && row.open === 1)).toBe(true);
    await session("bo").confirm([sent[2].seq]);
    expect((await rows("bo")).map(({ open }) => open)).toEqual([1, 1, 0]);
    await session("bo").confirm([sent[0].seq, sent[1].seq]);
    expect((await rows("bo")).map(({ open }) => open)).toEqual([0, 0, 0]);
    const again = await session("bo").record("demo", "bo", [view("a", "p1")], false);
    expect(again.ok && again.value.acceptance).toEqual(["duplicate"]);
  });

  it("gives history's rows to its caller as often as it asks, and keeps none for the outbox", async () => {
    const events = [view("a", "p1", 1_700_000_000), view("b", "p2", 1_700_000_100)];
    const once = await session("cy").record("demo", "cy", events, true);
    const twice = await session("cy").record("demo", "cy", events, true);
    if (!once.ok || !twice.ok) throw new Error("history was refused");
    expect(twice.value.acceptance).toEqual(["duplicate", "duplicate"]);
    expect(twice.value.message).toEqual(once.value.message);
    expect((await rows("cy")).every(({ open }) => open === 0)).toBe(true);
  });

  it("forgets the finer place when a coarser precision is allowed, and keeps the newest settings", async () => {
    await session("di").record("demo", "di", [view("a", "p1")], false);
    await session("di").setPerson("demo", "di", { home: null, precision: "city", version: 2 });
    await session("di").setPerson("demo", "di", { home: null, precision: "exact", version: 1 });
    expect(await person("di")).toMatchObject({ precision: "city", location: null });
  });

  it("is empty after an erasure", async () => {
    await session("ed").record("demo", "ed", [view("a", "p1")], false);
    await session("ed").erase();
    expect((await session("ed").state()).byteLength).toBe(0);
  });
});
