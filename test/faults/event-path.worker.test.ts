import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { maxDeliveries } from "../../shared/contracts/dead-letter.ts";
import { type EventInput, eventTypes } from "../../shared/contracts/event.ts";
import { DeadLetterStore } from "../../shared/dead-letters/dead-letter-store.ts";
import { expectedTotals } from "../support/expected-totals.ts";
import { bindings, type EventPipeline, productIds } from "./event-pipeline.ts";
import { type FaultyPart, faults, queuedMessages, queues } from "./fault-injector.ts";
import { isLong, newPipeline, prepareFaultTests } from "./set-up.ts";

const users = ["u0", "u1", "u2"];
const dayMs = 86_400_000;

/** One action of a random scenario. `choice` selects among the queued messages. */
type Action =
  | { kind: "send" | "import"; events: { user: number; event: number; lateHours: number }[] }
  | { kind: "deliver" | "deliverTwice" | "lose"; choice: number }
  | { kind: "evict" | "runAlarm"; user: number }
  | { kind: "confirm" | "loseConfirmations" }
  | { kind: "clock"; seconds: number }
  | { kind: "outage"; part: FaultyPart; isOut: boolean };

const user = fc.nat(users.length - 1);
const event = fc.record({ user, event: fc.nat(30), lateHours: fc.constantFrom(0, 0, 0, 25, 100) });
const action: fc.Arbitrary<Action> = fc.oneof(
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
    arbitrary: fc.record({ kind: fc.constantFrom("evict" as const, "runAlarm" as const), user }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom("confirm" as const, "loseConfirmations" as const) }),
  },
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
      part: fc.constantFrom<FaultyPart>(
        "queue",
        "userService",
        "database",
        "locationService",
        "productService",
        "trainingLog",
        "tiles",
      ),
      isOut: fc.boolean(),
    }),
  },
);

/** Events by application, user and number, so that an event that is sent again is the same object. */
const eventInputs = new Map<string, EventInput>();
function eventInput(
  pipeline: EventPipeline,
  { user, event, lateHours }: { user: number; event: number; lateHours: number },
): EventInput {
  const key = `${pipeline.application}/${user}/${event}`;
  const input = eventInputs.get(key) ?? {
    eventId: `e${event}`,
    userId: users[user],
    type: eventTypes[(event + user) % eventTypes.length],
    productId: productIds[(event * 3 + user) % productIds.length],
    timestamp: new Date(Date.now() - lateHours * 3_600_000).toISOString(),
  };
  eventInputs.set(key, input);
  return input;
}

async function perform(pipeline: EventPipeline, action: Action): Promise<void> {
  switch (action.kind) {
    case "send":
      await pipeline.send(action.events.map((event) => eventInput(pipeline, event)));
      return;
    case "import":
      return pipeline.importHistory(action.events.map((event) => eventInput(pipeline, event)));
    case "deliver":
      return pipeline.deliverMessages((index) => (index * 7 + action.choice) % 3 !== 0);
    case "deliverTwice":
      return pipeline.deliverMessages((index) => (index + action.choice) % 2 === 0, true);
    case "lose":
      if (queuedMessages.length > 0) queuedMessages.splice(action.choice % queuedMessages.length, 1);
      return;
    case "confirm":
      return pipeline.confirmDelivered();
    case "loseConfirmations":
      return pipeline.loseConfirmations();
    case "evict":
      return pipeline.evictSession(users[action.user]);
    case "runAlarm":
      return pipeline.runSessionAlarm(users[action.user]);
    case "clock":
      vi.setSystemTime(Date.now() + action.seconds * 1000);
      return;
    case "outage":
      faults.setOutage(action.part, action.isOut);
      return;
  }
}

const sorted = <T>(map: Map<string, T>): [string, T][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1));

/** Expects that every event was acknowledged to the client, and that all stores contain every event exactly once. */
async function expectConsistent(pipeline: EventPipeline): Promise<void> {
  expect(pipeline.acknowledged.size).toBe(pipeline.sent.size);
  expect(pipeline.accepted).toBeLessThanOrEqual(pipeline.sent.size);
  const { keys, totals } = await pipeline.storedInteractions();
  expect(keys).toEqual([...pipeline.sent.keys()].sort());
  const expected = sorted(expectedTotals(pipeline.sent.values()));
  expect(sorted(totals)).toEqual(expected);
  expect(sorted(await pipeline.publishedTotals())).toEqual(expected);
  expect(await pipeline.loggedInteractions()).toBe(pipeline.sent.size);
  for (const userId of users) {
    const own = [...pipeline.sent.values()].filter((each) => each.userId === userId);
    expect((await pipeline.storedProfile(userId))?.events ?? 0).toBe(own.length);
  }
}

prepareFaultTests();

const runs = isLong ? 300 : 20;

describe("the event path", () => {
  it("loses no event and counts none twice, despite failures, lost, repeated or reordered messages, and evictions", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { minLength: 5, maxLength: 30 }),
        fc.nat(1_000_000),
        fc.constantFrom(0, 15, 40),
        async (actions, seed, percent) => {
          const pipeline = await newPipeline();
          faults.start(seed, percent);
          for (const each of actions) await perform(pipeline, each);
          await pipeline.drain(users);
          await expectConsistent(pipeline);
        },
      ),
      { numRuns: runs, endOnFailure: true },
    );
  });

  it.each<FaultyPart>([
    "queue",
    "userService",
    "database",
    "locationService",
    "productService",
    "trainingLog",
    "tiles",
  ])("accepts events during an outage of %s, and delivers them afterward", async (part) => {
    const pipeline = await newPipeline();
    faults.setOutage(part, true);
    const events = Array.from({ length: 9 }, (_, i) =>
      eventInput(pipeline, { user: i % 3, event: i, lateHours: 0 }),
    );
    await pipeline.send(events);
    expect(pipeline.acknowledged.size).toBe(9);
    for (let i = 0; i < 3; i++) {
      await pipeline.deliverMessages(() => true);
      vi.setSystemTime(Date.now() + 61_000);
      for (const userId of users) await pipeline.runSessionAlarm(userId);
    }
    await pipeline.drain(users);
    await expectConsistent(pipeline);
  });

  it("sends rows again after the clock was set back by a day", async () => {
    const pipeline = await newPipeline();
    await pipeline.send([eventInput(pipeline, { user: 0, event: 1, lateHours: 0 })]);
    queuedMessages.length = 0;
    vi.setSystemTime(Date.now() - dayMs);
    await pipeline.evictSession("u0");
    vi.setSystemTime(Date.now() + 61_000);
    await pipeline.runSessionAlarm("u0");
    expect(queuedMessages).toHaveLength(1);
    await pipeline.drain(users);
    await expectConsistent(pipeline);
  });

  it("delivers the other messages of a batch if one always fails, and stores the failing one as a dead-letter message", async () => {
    const pipeline = await newPipeline();
    const events = Array.from({ length: 12 }, (_, i) =>
      eventInput(pipeline, { user: i % 3, event: i, lateHours: 0 }),
    );
    for (const each of events) await pipeline.send([each]);
    const [first] = queuedMessages;
    // The message names an object id that is invalid, so its confirmation, the last step, always fails.
    const poison = JSON.parse(
      JSON.stringify(first.body).replaceAll(/"pseudonym":"\w{64}"/g, `"pseudonym":"${"f".repeat(64)}"`),
    );
    queuedMessages.splice(5, 0, { ...first, body: poison, attempts: maxDeliveries - 1 });
    // A batch makes at most 32 calls of other workers: it delivers half of its messages at least, and the rest comes again.
    for (let delivery = 0; delivery < 4; delivery++) await pipeline.deliverMessages(() => true);
    expect(queuedMessages).toHaveLength(1);
    const deadLetters = new DeadLetterStore(bindings.DEAD_LETTERS);
    const { items } = await deadLetters.list(pipeline.application, 10);
    expect(items).toMatchObject([{ queue: "interactions" }]);
    expect(items[0].attempts).toBeGreaterThanOrEqual(maxDeliveries);
    expect(items[0].cause).toMatch(/\w/);
    expect((await pipeline.storedInteractions()).keys).toEqual([...pipeline.sent.keys()].sort());
  });

  it("sends a user's other messages if the queue refuses one", async () => {
    const pipeline = await newPipeline();
    const events = Array.from({ length: 31 }, (_, i) =>
      eventInput(pipeline, { user: 0, event: i, lateHours: 0 }),
    );
    await pipeline.send(events);
    queuedMessages.length = 0;
    await pipeline.session("u0").setLocation(pipeline.application, "u0", {
      lat: 1,
      lon: 2,
      time: Date.now() / 1000,
      precision: "exact",
    });
    vi.setSystemTime(Date.now() + 61_000);
    const refuse = vi.spyOn(queues.interactions, "send").mockRejectedValue(new Error("too large"));
    await pipeline.runSessionAlarm("u0");
    expect(queuedMessages.map(({ queue }) => queue)).toEqual(["locations"]);
    refuse.mockRestore();
    await pipeline.drain(users);
    await expectConsistent(pipeline);
  });

  it("refuses events of a user with too many open rows, and drops none that it accepted", async () => {
    const pipeline = await newPipeline();
    faults.setOutage("queue", true);
    const events = Array.from({ length: 6500 }, (_, i) =>
      eventInput(pipeline, { user: 0, event: i, lateHours: 0 }),
    );
    const answers: (string | null)[] = [];
    for (let i = 0; i < events.length; i += 500) {
      const { rejected } = await pipeline.send(events.slice(i, i + 500));
      answers.push(rejected.length > 0 ? rejected[0].error.code : null);
      for (const { error } of rejected) expect(error.retryAfter).toBeGreaterThan(0);
    }
    expect(answers.slice(0, 10)).toEqual(Array(10).fill(null));
    expect(answers.at(-1)).toBe("rate_limited");
    const visit = { lat: 1, lon: 2, time: 1, precision: "exact" } as const;
    expect(await pipeline.session("u0").setLocation(pipeline.application, "u0", visit)).toMatchObject({
      error: { code: "rate_limited" },
    });
    await pipeline.drain(users, 12);
    await expectConsistent(pipeline);
  });

  it("delivers an event of a failed import once it is sent as a live event", async () => {
    const pipeline = await newPipeline();
    const event = eventInput(pipeline, { user: 0, event: 1, lateHours: 0 });
    faults.setOutage("trainingLog", true);
    await pipeline.importHistory([event]);
    expect(pipeline.acknowledged.size).toBe(0);
    faults.setOutage("trainingLog", false);
    expect((await pipeline.send([event])).duplicates).toBe(1);
    await pipeline.drain(users);
    await expectConsistent(pipeline);
  });
});
