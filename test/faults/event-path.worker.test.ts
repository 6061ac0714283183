/// <reference types="@cloudflare/vitest-plugin/types" />
import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { maxDeliveries } from "../../shared/contracts/dead-letter.ts";
import { type EventInput, eventTypes } from "../../shared/contracts/event.ts";
import { emptyTotals, type Totals } from "../../shared/contracts/totals.ts";
import { DeadLetterStore } from "../../shared/dead-letters/dead-letter-store.ts";
import { faults, type Part, queues, underWay } from "./ports.ts";
import { bindings, productIds, World } from "./world.ts";

const { MIGRATIONS, LONG } = env as unknown as { MIGRATIONS: D1Migration[]; LONG: boolean };
const users = ["u0", "u1", "u2"];
const day = 86_400_000;

/** What can happen. Numbers choose among what there is. */
type Step =
  | { kind: "send" | "import"; events: { user: number; event: number; lateHours: number }[] }
  | { kind: "deliver" | "deliverTwice" | "lose"; choice: number }
  | { kind: "evict" | "wake"; user: number }
  | { kind: "confirm" | "loseConsumer" }
  | { kind: "clock"; seconds: number }
  | { kind: "outage"; part: Part; out: boolean };

const user = fc.nat(users.length - 1);
const event = fc.record({ user: user, event: fc.nat(30), lateHours: fc.constantFrom(0, 0, 0, 25, 100) });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom("send" as const, "send" as const, "import" as const),
      events: fc.array(event, { minLength: 1, maxLength: 12 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom("deliver" as const, "deliverTwice" as const, "lose" as const),
      choice: fc.nat(1000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom("evict" as const, "wake" as const), user: user }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom("confirm" as const, "loseConsumer" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("clock" as const),
      seconds: fc.integer({ min: -7200, max: 120 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("outage" as const),
      part: fc.constantFrom<Part>("queue", "records", "database", "cells", "catalogue", "log", "tiles"),
      out: fc.boolean(),
    }),
  },
);

/** Event n of a person always says the same, also when it is sent again. */
const inputs = new Map<string, EventInput>();
function inputOf(world: World, each: { user: number; event: number; lateHours: number }): EventInput {
  const key = `${world.application}/${each.user}/${each.event}`;
  const known = inputs.get(key) ?? {
    eventId: `e${each.event}`,
    userId: users[each.user],
    type: eventTypes[(each.event + each.user) % eventTypes.length],
    productId: productIds[(each.event * 3 + each.user) % productIds.length],
    timestamp: new Date(Date.now() - each.lateHours * 3_600_000).toISOString(),
  };
  inputs.set(key, known);
  return known;
}

async function take(world: World, each: Step): Promise<void> {
  switch (each.kind) {
    case "send":
      await world.send(each.events.map((event) => inputOf(world, event)));
      return;
    case "import":
      return world.import(each.events.map((event) => inputOf(world, event)));
    case "deliver":
      return world.deliver((index) => (index * 7 + each.choice) % 3 !== 0);
    case "deliverTwice":
      return world.deliver((index) => (index + each.choice) % 2 === 0, true);
    case "lose":
      if (underWay.length > 0) underWay.splice(each.choice % underWay.length, 1);
      return;
    case "confirm":
      return world.confirm();
    case "loseConsumer":
      return world.loseConsumer();
    case "evict":
      return world.evict(users[each.user]);
    case "wake":
      return world.wake(users[each.user]);
    case "clock":
      vi.setSystemTime(Date.now() + each.seconds * 1000);
      return;
    case "outage":
      faults.outOfOrder(each.part, each.out);
      return;
  }
}

/** Totals as they must be: each event once, each person once per product. */
function expected(events: Iterable<EventInput>): Map<string, Totals> {
  const totals = new Map<string, Totals>();
  const seen = new Set<string>();
  for (const { productId, type, userId } of events) {
    const counts = totals.get(productId) ?? emptyTotals();
    totals.set(productId, counts);
    counts[type]++;
    if (!seen.has(`${productId}/${userId}`)) counts.people++;
    seen.add(`${productId}/${userId}`);
  }
  return totals;
}
const sorted = <T>(map: Map<string, T>): [string, T][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1));

/** All stores hold each event that was sent, once. */
async function expectWhole(world: World): Promise<void> {
  expect(world.told.size).toBe(world.sent.size);
  expect(world.accepted).toBeLessThanOrEqual(world.sent.size);
  const { keys, totals } = await world.recorded();
  expect(keys).toEqual([...world.sent.keys()].sort());
  const wanted = sorted(expected(world.sent.values()));
  expect(sorted(totals)).toEqual(wanted);
  expect(sorted(await world.shown())).toEqual(wanted);
  expect(await world.logged()).toBe(world.sent.size);
  for (const userId of users) {
    const own = [...world.sent.values()].filter((each) => each.userId === userId);
    expect((await world.profile(userId))?.events ?? 0).toBe(own.length);
  }
}

beforeAll(async () => {
  for (const database of [bindings.DB, bindings.DB_1]) await applyD1Migrations(database, MIGRATIONS);
});
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.spyOn(console, "error").mockImplementation(() => undefined);
});
afterEach(() => {
  faults.end();
  underWay.length = 0;
  vi.useRealTimers();
  vi.restoreAllMocks();
});

let run = 0;
async function worldWith(): Promise<World> {
  const world = new World(`w${run++}`);
  await world.open();
  underWay.length = 0;
  return world;
}

const runs = LONG ? 300 : 20;

describe("the way of an event", () => {
  it("loses nothing and counts nothing twice, whatever fails, is lost, repeated, late, evicted or out of order", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 30 }),
        fc.nat(1_000_000),
        fc.constantFrom(0, 15, 40),
        async (steps, seed, percent) => {
          const world = await worldWith();
          faults.begin(seed, percent);
          for (const each of steps) await take(world, each);
          await world.comeToRest(users);
          await expectWhole(world);
        },
      ),
      { numRuns: runs, endOnFailure: true },
    );
  });

  it.each<Part>(["queue", "records", "database", "cells", "catalogue", "log", "tiles"])(
    "takes events while there are no %s, and brings them on when they are back",
    async (part) => {
      const world = await worldWith();
      faults.outOfOrder(part, true);
      const events = Array.from({ length: 9 }, (_, i) =>
        inputOf(world, { user: i % 3, event: i, lateHours: 0 }),
      );
      await world.send(events);
      expect(world.told.size).toBe(9);
      for (let i = 0; i < 3; i++) {
        await world.deliver(() => true);
        vi.setSystemTime(Date.now() + 61_000);
        for (const userId of users) await world.wake(userId);
      }
      await world.comeToRest(users);
      await expectWhole(world);
    },
  );

  it("does not wait for a clock that went back by a day", async () => {
    const world = await worldWith();
    await world.send([inputOf(world, { user: 0, event: 1, lateHours: 0 })]);
    underWay.length = 0;
    vi.setSystemTime(Date.now() - day);
    await world.evict("u0");
    vi.setSystemTime(Date.now() + 61_000);
    await world.wake("u0");
    expect(underWay).toHaveLength(1);
    await world.comeToRest(users);
    await expectWhole(world);
  });

  it("delivers what came together with a message that can never be, and keeps that one with its cause", async () => {
    const world = await worldWith();
    const events = Array.from({ length: 12 }, (_, i) =>
      inputOf(world, { user: i % 3, event: i, lateHours: 0 }),
    );
    for (const each of events) await world.send([each]);
    const [first] = underWay;
    // A person's object that is none: the last step, the confirmation, fails however often it is tried.
    const poison = JSON.parse(
      JSON.stringify(first.body).replaceAll(/"pseudonym":"\w{64}"/g, `"pseudonym":"${"f".repeat(64)}"`),
    );
    underWay.splice(5, 0, { ...first, body: poison, attempts: maxDeliveries - 1 });
    await world.deliver(() => true);
    expect(underWay).toHaveLength(1);
    const deadLetters = new DeadLetterStore(bindings.TRAINING_LOG);
    const { items } = await deadLetters.list(world.application, 10);
    expect(items).toMatchObject([{ queue: "interactions", attempts: maxDeliveries }]);
    expect(items[0].cause).toMatch(/\w/);
    expect((await world.recorded()).keys).toEqual([...world.sent.keys()].sort());
  });

  it("sends the rest of a person's rows though the queue refuses one message", async () => {
    const world = await worldWith();
    // More than one message holds.
    const events = Array.from({ length: 31 }, (_, i) => inputOf(world, { user: 0, event: i, lateHours: 0 }));
    await world.send(events);
    underWay.length = 0;
    await world.session("u0").setLocation(world.application, "u0", {
      lat: 1,
      lon: 2,
      time: Date.now() / 1000,
      precision: "exact",
    });
    vi.setSystemTime(Date.now() + 61_000);
    const refuse = vi.spyOn(queues.interactions, "send").mockRejectedValue(new Error("too large"));
    await world.wake("u0");
    expect(underWay.map(({ queue }) => queue)).toEqual(["locations"]);
    refuse.mockRestore();
    await world.comeToRest(users);
    await expectWhole(world);
  });

  it("says so when more of a person waits than can be kept, and drops nothing that it took", async () => {
    const world = await worldWith();
    faults.outOfOrder("queue", true);
    const events = Array.from({ length: 6500 }, (_, i) =>
      inputOf(world, { user: 0, event: i, lateHours: 0 }),
    );
    const answers: (string | null)[] = [];
    for (let i = 0; i < events.length; i += 500) {
      const { rejected } = await world.send(events.slice(i, i + 500));
      answers.push(rejected.length > 0 ? rejected[0].error.code : null);
      for (const { error } of rejected) expect(error.retryAfter).toBeGreaterThan(0);
    }
    expect(answers.slice(0, 10)).toEqual(Array(10).fill(null));
    expect(answers.at(-1)).toBe("rate_limited");
    const visit = { lat: 1, lon: 2, time: 1, precision: "exact" } as const;
    expect(await world.session("u0").setLocation(world.application, "u0", visit)).toMatchObject({
      error: { code: "rate_limited" },
    });
    await world.comeToRest(users, 12);
    await expectWhole(world);
  });

  it("keeps what an import began and did not end, once it is told of it by another way", async () => {
    const world = await worldWith();
    const event = inputOf(world, { user: 0, event: 1, lateHours: 0 });
    faults.outOfOrder("records", true);
    await world.import([event]);
    expect(world.told.size).toBe(0);
    faults.outOfOrder("records", false);
    expect((await world.send([event])).duplicates).toBe(1);
    await world.comeToRest(users);
    await expectWhole(world);
  });
});
