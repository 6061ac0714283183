/// <reference types="@cloudflare/vitest-plugin/types" />

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import {
  acceptances,
  alarmOf,
  encodedProfileOf,
  open,
  profileOf,
  rows,
  session,
  view,
} from "./testing/user-sessions.ts";

describe("UserSession", () => {
  it("writes nothing when an unknown user is read", async () => {
    expect((await encodedProfileOf("nobody")).bytes?.byteLength).toBe(0);
    const tables = await runInDurableObject(session("nobody"), (_object, state) =>
      state.storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'journal'").toArray(),
    );
    expect(tables).toEqual([]);
  });

  it("records each event once and updates the profile at once", async () => {
    const first = await session("ann").ingest(
      "demo",
      "ann",
      [view("a", "p1"), view("b", "p2"), view("a", "p1")],
      false,
    );
    const again = await session("ann").ingest("demo", "ann", [view("b", "p2"), view("c", "p1")], false);
    expect(first.ok && acceptances(first.value)).toEqual(["accepted", "accepted", "duplicate"]);
    expect(again.ok && acceptances(again.value)).toEqual(["duplicate", "accepted"]);
    const profile = await profileOf("ann");
    expect(profile.events).toBe(3);
    expect(profile.products.get("p1")?.counts[0]).toBe(2);
    expect(profile.location).toMatchObject({ lat: 59.91, lon: 10.75 });
  });

  it("E2: is told of other content under a known id, and of the fields that differ", async () => {
    const ingest = async (events: Parameters<ReturnType<typeof session>["ingest"]>[2], isHistory = false) => {
      const answer = await session("eli").ingest("demo", "eli", events, isHistory);
      if (!answer.ok) throw new Error(answer.error.detail);
      return answer.value.results.map(({ acceptance, conflicts }) => [acceptance, ...conflicts]);
    };
    const now = 1_790_000_000;
    const order = (productId: string) => ({ ...view("order-1", productId, now), sentTime: now });
    expect(await ingest([order("shirt"), order("hat"), order("shirt")])).toEqual([
      ["accepted"],
      ["conflict", "productId"],
      ["duplicate"],
    ]);
    const shirt = order("shirt");
    const others = [
      { ...shirt, type: "cart" as const },
      { ...shirt, sentTime: now + 1, time: now + 1 },
      { ...shirt, location: { lat: 1, lon: 2 } },
      { ...order("socks"), type: "cart" as const, sentTime: now - 60 },
    ];
    const fields = [["type"], ["timestamp"], ["location"], ["type", "productId", "timestamp"]];
    for (const isHistory of [false, true])
      expect(await ingest(others, isHistory)).toEqual(fields.map((each) => ["conflict", ...each]));
    const { products, events } = await profileOf("eli");
    expect([events, [...products.keys()]]).toEqual([1, ["shirt"]]);
    await evictDurableObject(session("eli"));
    expect(await ingest([order("hat")])).toEqual([["conflict", "productId"]]);
  });

  it("E2: takes an honest retry for a duplicate, whatever the server added to the event", async () => {
    const ingest = async (event: Parameters<ReturnType<typeof session>["ingest"]>[2][number]) => {
      const answer = await session("fay").ingest("demo", "fay", [event], false);
      return answer.ok && acceptances(answer.value)[0];
    };
    const first = { ...view("a", "p", 1_790_000_000), sentTime: null, recommendationId: "r" };
    expect(await ingest(first)).toBe("accepted");
    const facts = { cell: null, lat: null, lon: null, category: "other", priceMinor: 500, currency: "EUR" };
    for (const retry of [
      { ...first, time: first.time + 3600 },
      { ...first, facts },
      { ...first, location: null, recommendationId: null },
    ])
      expect(await ingest(retry)).toBe("duplicate");
    await session("fay").setUserSettings("demo", "fay", { home: null, precision: "city", version: 1 });
    const coarse = { location: { lat: 59.9, lon: 10.7 }, precision: "city" as const };
    expect(await ingest({ ...first, ...coarse })).toBe("duplicate");
  });

  it("E2: counts no event again that only the user's database still knows", async () => {
    const old = { ...view("old", "p"), stored: true };
    const answer = await session("gil").ingest("demo", "gil", [old, view("new", "p")], true);
    expect(answer.ok && acceptances(answer.value)).toEqual(["duplicate", "accepted"]);
    expect((await profileOf("gil")).events).toBe(1);
  });

  it("reads a journal of version 0.2, whose events count as duplicates", async () => {
    const time = Date.now() / 1000;
    await session("hal").ingest("demo", "hal", [view("a", "p", time)], false);
    await runInDurableObject(session("hal"), (_object, { storage: { sql } }) => {
      sql.exec("ALTER TABLE journal DROP COLUMN content");
      sql.exec("UPDATE journal SET id = substr(id, 7)");
    });
    await evictDurableObject(session("hal"));
    const again = await session("hal").ingest("demo", "hal", [view("a", "p", time), view("b", "p")], false);
    expect(again.ok && acceptances(again.value)).toEqual(["duplicate", "accepted"]);
    expect((await rows("hal")).map(({ id }) => id)).toEqual(["event:a", "event:b"]);
  });

  it("S11: coarsens what version 0.2 stored at the precision that it called `1km`", async () => {
    const time = Date.now() / 1000;
    await session("ida").ingest("demo", "ida", [view("a", "p", time)], false);
    const receipt = {
      ...{ recommendationId: "r", time: new Date().toISOString(), variant: "none", candidates: 0 },
      ...{ model: { version: "v", sha256: "0".repeat(64) }, items: [], stages: [] },
      location: { city: "Oslo", country: "NO", precision: "1km", source: "last" },
    };
    const visit = { lat: 59.913, lon: 10.757, time, precision: "1km" };
    await runInDurableObject(session("ida"), (_object, { storage: { sql } }) => {
      const values = [time, JSON.stringify(visit)];
      sql.exec("INSERT INTO journal VALUES ('location:2', 2, 1, 'locations', ?, ?, 0, NULL)", ...values);
      sql.exec("INSERT INTO receipts VALUES (0, 'r', ?, 0, ?, NULL, NULL)", time, JSON.stringify(receipt));
      sql.exec("ALTER TABLE journal DROP COLUMN content");
    });
    await evictDurableObject(session("ida"));
    expect((await session("ida").receipt("demo", "r"))?.location.precision).toBe("approximate");
    const bodies = () =>
      runInDurableObject(session("ida"), (_object, { storage: { sql } }) =>
        sql
          .exec<{ body: string }>("SELECT body FROM journal WHERE id = 'location:2'")
          .toArray()
          .map(({ body }) => JSON.parse(body)),
      );
    expect(await bodies()).toEqual([{ ...visit, precision: "approximate" }]);
    await session("ida").setUserSettings("demo", "ida", { home: null, precision: "city", version: 1 });
    expect(await session("ida").receipt("demo", "r")).toBeNull();
  });

  it("E8: keeps events apart from its other rows, whatever their ids", async () => {
    const ids = ["correction:a", "a", "event:a", "location:1", "example:x", "counts:y:1", "a/b", "ünï 🍞"];
    const events = ids.map((id) => view(id, "gid://shop/Product 1"));
    const first = await session("auth0|1 2").ingest("demo", "auth0|1 2", events, false);
    expect(first.ok && acceptances(first.value)).toEqual(ids.map(() => "accepted"));
    const again = await session("auth0|1 2").ingest("demo", "auth0|1 2", events, false);
    expect(again.ok && acceptances(again.value)).toEqual(ids.map(() => "duplicate"));
    expect((await profileOf("auth0|1 2")).products.get("gid://shop/Product 1")?.choices).toBe(ids.length);
  });

  it("returns rows to send and keeps each open until it is confirmed, in any order", async () => {
    const recorded = await session("bo").ingest(
      "demo",
      "bo",
      [view("a", "p1"), view("b", "p1"), view("c", "p1")],
      false,
    );
    if (!recorded.ok) throw new Error("events were refused");
    const seqs = recorded.value.results.map(({ row }) => row?.seq ?? 0);
    expect(await open("bo")).toEqual([1, 1, 1]);
    await session("bo").confirmRows([seqs[2]], 0);
    expect(await open("bo")).toEqual([1, 1, 0]);
    await session("bo").confirmRows([seqs[0], seqs[1]], 0);
    await session("bo").confirmRows(seqs, 0);
    expect(await open("bo")).toEqual([0, 0, 0]);
    const again = await session("bo").ingest("demo", "bo", [view("a", "p1")], false);
    expect(again.ok && again.value.results).toEqual([{ acceptance: "duplicate", conflicts: [], row: null }]);
  });

  it("sends unconfirmed rows again after a minute, with growing delays, also after a restart", async () => {
    const start = Date.now();
    await session("cleo").ingest("demo", "cleo", [view("a", "p1")], false);
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      for (const round of [1, 2, 3]) {
        const due = await alarmOf("cleo");
        expect(due).toBeGreaterThanOrEqual(start + round * 60_000);
        if (round === 2) await evictDurableObject(session("cleo"));
        vi.setSystemTime((due ?? 0) + 1);
        // The next alarm is later only if the queue accepted the send.
        expect(await runDurableObjectAlarm(session("cleo"))).toBe(true);
        expect(await open("cleo")).toEqual([1]);
      }
      const [{ seq }] = await rows("cleo");
      await session("cleo").confirmRows([seq], 0);
      expect(await runDurableObjectAlarm(session("cleo"))).toBe(true);
      // No row is left to send. The next alarm deletes expired data.
      expect((await alarmOf("cleo")) ?? 0).toBeGreaterThan(Date.now() + 7 * 86_400_000);
    } finally {
      vi.useRealTimers();
    }
  });

  it("rebuilds the same profile from its rows after a restart", async () => {
    const events = Array.from({ length: 50 }, (_, i) => view(`e${i}`, `p${i % 7}`));
    for (const event of events) await session("dora").ingest("demo", "dora", [event], false);
    await session("dora").setLocation("demo", "dora", {
      lat: 59.91,
      lon: 10.75,
      time: Date.now() / 1000,
      precision: "exact",
    });
    const before = await encodedProfileOf("dora");
    await evictDurableObject(session("dora"));
    const after = await encodedProfileOf("dora");
    expect(after.bytes).toEqual(before.bytes);
    expect(after.version).not.toBe(before.version);
    await session("dora").ingest("demo", "dora", [view("last", "p1")], false);
    const seqs = (await rows("dora")).map(({ seq }) => seq);
    expect(new Set(seqs).size).toBe(52);
  });

  it("returns the rows of history on every call and keeps none open for the outbox", async () => {
    const events = [view("a", "p1", 1_700_000_000), view("b", "p2", 1_700_000_100)];
    const once = await session("cy").ingest("demo", "cy", events, true);
    const twice = await session("cy").ingest("demo", "cy", events, true);
    if (!once.ok || !twice.ok) throw new Error("history was refused");
    expect(acceptances(twice.value)).toEqual(["duplicate", "duplicate"]);
    expect(twice.value.results.map(({ row }) => row)).toEqual(once.value.results.map(({ row }) => row));
    expect((await rows("cy")).every(({ open }) => open === 0)).toBe(true);
  });

  it("deletes the finer location when the precision gets coarser, and keeps the newest settings", async () => {
    await session("di").ingest("demo", "di", [view("a", "p1")], false);
    await session("di").setUserSettings("demo", "di", { home: null, precision: "city", version: 2 });
    await session("di").setUserSettings("demo", "di", { home: null, precision: "exact", version: 1 });
    expect(await profileOf("di")).toMatchObject({ precision: "city", location: null });
  });
});

describe("retention of a user object", () => {
  it("does not wake up for rows that are confirmed, unless events follow each other quickly", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      const weekMs = 7 * 86_400_000;
      const alarmDelay = async (): Promise<number> => ((await alarmOf("visitor")) ?? 0) - Date.now();
      const send = async (id: string): Promise<number> => {
        const sent = await session("visitor").ingest("demo", "visitor", [view(id, "p1")], false);
        return (sent.ok && sent.value.results[0].row?.seq) || Number.NaN;
      };
      const first = await send("a");
      expect(await alarmDelay()).toBeLessThanOrEqual(60_000);
      await session("visitor").confirmRows([first], 0);
      expect(await alarmDelay()).toBeGreaterThan(weekMs);

      // The next events follow within a minute. The alarm stays where the second of them needs it.
      vi.setSystemTime(Date.now() + 10_000);
      await session("visitor").confirmRows([await send("b")], 0);
      expect(await alarmDelay()).toBeLessThanOrEqual(60_000);
      await evictDurableObject(session("visitor"));
      await runDurableObjectAlarm(session("visitor"));
      expect(await alarmDelay()).toBeGreaterThan(weekMs);

      // An event that is not confirmed keeps its alarm.
      vi.setSystemTime(Date.now() + 3_600_000);
      const open = await send("c");
      await evictDurableObject(session("visitor"));
      await session("visitor").confirmRows([first], 0);
      expect(await alarmDelay()).toBeLessThanOrEqual(60_000);
      await session("visitor").confirmRows([open], 0);
      expect(await alarmDelay()).toBeGreaterThan(weekMs);
    } finally {
      vi.useRealTimers();
    }
  });

  it("deletes expired data by an alarm, and sets no alarm once nothing is left", async () => {
    const userId = "left";
    const recorded = await session(userId).ingest("demo", userId, [view("once", "p1")], false);
    if (!recorded.ok) throw new Error("refused");
    await session(userId).confirmRows(
      (await rows(userId)).map(({ seq }) => seq),
      recorded.value.generation,
    );
    // The alarm of the outbox finds no open row and sets the alarm for expired data.
    await runDurableObjectAlarm(session(userId));
    const at = await alarmOf(userId);
    const days = ((at ?? 0) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(8);
    expect(days).toBeLessThan(10);
    vi.useFakeTimers({ now: (at ?? 0) + 1000, toFake: ["Date"] });
    try {
      await runDurableObjectAlarm(session(userId));
      expect(await rows(userId)).toEqual([]);
      expect(await alarmOf(userId)).toBeNull();
    } finally {
      vi.useRealTimers();
    }
  });
});
