import type { D1Database, Queue, R2Bucket } from "@cloudflare/workers-types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Erasure, erasure } from "../shared/contracts/erasure.ts";
import type { EventReceipt } from "../shared/contracts/event.ts";
import type { Page } from "../shared/contracts/page.ts";
import type { InteractionsMessage } from "../shared/contracts/queues.ts";
import type { UserInteraction } from "../shared/contracts/user.ts";
import { exportUserData as exportIn, findTraces, findStoresContaining as placesIn } from "./find-traces.ts";
import { ndjsonHeaders, toNdjson } from "./ndjson.ts";
import { pollUntil } from "./polling.ts";
import { generateProducts, oslo } from "./products.ts";
import { TestStack } from "./test-stack.ts";

const stack = new TestStack();
const products = generateProducts("oslo", oslo, 40);

beforeAll(async () => {
  await stack.start();
  await stack.call("POST", "/v1/products/bulk", { body: toNdjson(products), headers: ndjsonHeaders });
  await pollUntil(
    () =>
      stack.call<{ items: unknown[] }>(
        "GET",
        `/v1/locations/nearby?lat=${oslo.lat}&lon=${oslo.lon}&limit=40`,
      ),
    ({ body }) => body.items?.length === 40,
  );
});
afterAll(() => stack.stop());

const send = (userId: string, ids: string[], more: object = {}) =>
  stack.call<EventReceipt>("POST", "/v1/events", {
    body: {
      events: ids.map((eventId, i) => ({ eventId, userId, type: "view", productId: `oslo-${i}`, ...more })),
    },
  });
const historyOf = async (userId: string) =>
  (await stack.call<Page<UserInteraction>>("GET", `/v1/users/${userId}/interactions`)).body.items.map(
    ({ eventId }) => eventId,
  );
const recommend = async (userId: string) => {
  const { status, body } = await stack.call<{ recommendationId: string }>("POST", "/v1/recommendations", {
    body: { userId, location: oslo },
  });
  expect(status).toBe(200);
  return body.recommendationId;
};
/** A person's pseudonym, as every recommendation of theirs begins with it. */
const pseudonymOf = async (userId: string) =>
  Buffer.from((await recommend(userId)).split(".")[0], "base64url").toString("hex");

const eraseWhole = async (userId: string): Promise<Erasure> => {
  const { status, body, headers } = await stack.call<Erasure>("DELETE", `/v1/users/${userId}`);
  expect(status, JSON.stringify(body)).toBe(202);
  expect(headers.get("location")).toBe(`/v1/erasures/${erasure.parse(body).id}`);
  const { body: done } = await pollUntil(
    () => stack.call<Erasure>("GET", `/v1/erasures/${body.id}`),
    (answer) => answer.body.status === "done",
    30,
  );
  expect(done.status, JSON.stringify(done)).toBe("done");
  expect(done.stores.every((each) => each.status === "done")).toBe(true);
  return done;
};

const placesOf = (texts: string[]) => placesIn(stack, texts);
const exportOf = (userId: string, key?: string) => exportIn(stack, userId, key);

describe("an erased person", () => {
  it("is in no query, object, log or letter, whatever was on its way; and who comes by the id is new", async () => {
    const userId = "ann.who-is-erased";
    await stack.call("PUT", `/v1/users/${userId}`, {
      body: { home: oslo, attributes: { nickname: "nickname-of-ann" } },
    });
    const receipt = await recommend(userId);
    const object = await pseudonymOf(userId);
    await stack.call("PUT", `/v1/users/${userId}/location`, { body: oslo });
    expect((await send(userId, ["ann-1", "ann-2"], { recommendationId: receipt })).body.accepted).toBe(2);
    const bulk = toNdjson([
      { eventId: "ann-3", userId, type: "cart", productId: "oslo-9", timestamp: "2025-05-01T00:00:00Z" },
    ]);
    await stack.call("POST", "/v1/events/bulk", { body: bulk, headers: ndjsonHeaders });
    expect((await send("bob", ["bob-1"])).body.accepted).toBe(1);
    await pollUntil(
      () => historyOf(userId),
      (ids) => ids.length === 3,
    );
    const names = [userId, object, "nickname-of-ann", "ann-1", "ann-2", "ann-3"];
    await pollUntil(
      () => placesOf([object]),
      (places) => places.some((place) => place.includes("/log/v1/")),
    );
    await pollUntil(
      () => placesOf([userId]),
      (places) => places.includes("user user_locations"),
    );
    // Two letters: one of ann and bob together, one of no known form.
    const log: R2Bucket = await stack.binding("recommendation", "TRAINING_LOG");
    const inFlight: InteractionsMessage = {
      application: "demo",
      users: [
        { userId, pseudonym: object, generation: 0, rows: [late("ann-late", 900)] },
        { userId: "bob", pseudonym: await pseudonymOf("bob"), generation: 0, rows: [late("bob-late", 901)] },
      ],
    };
    const deadLetter = (id: string, body: unknown) =>
      log.put(
        `demo/dead/interactions/${id}.json`,
        JSON.stringify({
          ...{ id: `interactions~${id}`, queue: "interactions", cause: "c", attempts: 1, body },
          ...{ sentAt: "2026-01-01T00:00:00.000Z", diedAt: "2026-01-01T00:00:00.000Z" },
        }),
      );
    await deadLetter("1".repeat(32), inFlight);
    await deadLetter("2".repeat(32), { application: "demo", users: userId });
    // What they did in a roll-out that is under way.
    const registry: D1Database = await stack.binding("recommendation", "DB");
    await registry
      .prepare("INSERT INTO outcomes VALUES ('demo', 'rollout:v2', ?, 'canary', 3, 1)")
      .bind(object)
      .run();
    expect((await placesOf(names)).length).toBeGreaterThanOrEqual(7);

    const { body: issued } = await stack.call<{ token: string }>("POST", "/v1/tokens", { body: { userId } });
    const held = await exportOf(userId, issued.token);
    expect(new Set(held.map(({ store }) => store))).toEqual(
      new Set([
        ...["profile", "interactions", "locations", "memory", "journal"],
        ...["receipts", "experiments", "training_log", "dead_letters"],
      ]),
    );
    const told = JSON.stringify(held);
    for (const name of ["nickname-of-ann", "ann-1", "ann-2", "ann-3", receipt]) expect(told).toContain(name);
    for (const name of ["bob", "bob-1", "bob-late"]) expect(told).not.toContain(`"${name}"`);
    const of = (store: string) => held.filter((item) => item.store === store).length;
    expect([of("profile"), of("interactions"), of("locations"), of("memory")]).toEqual([1, 3, 1, 1]);
    expect(of("receipts")).toBe(2);
    for (const path of ["/v1/users/bob/export", `/v1/users/${userId}`])
      expect((await stack.call("GET", path, { key: issued.token })).status).toBe(403);
    for (const cursor of ["nonsense", Buffer.from('{"part":"object","at":3}').toString("base64url")]) {
      const damaged = await stack.call("GET", `/v1/users/${userId}/export?cursor=${cursor}`);
      expect(damaged.status, JSON.stringify(damaged.body)).toBe(404);
    }

    const done = await eraseWhole(userId);
    const removed = new Map(done.stores.map((each) => [each.store, each.removed]));
    for (const store of ["records", "object", "receipts", "dead_letters", "training_log"] as const)
      expect(removed.get(store), store).toBeGreaterThan(0);

    expect((await stack.call("GET", `/v1/users/${userId}`)).status).toBe(404);
    expect(await historyOf(userId)).toEqual([]);
    expect((await stack.call("GET", `/v1/recommendations/${receipt}`)).status).toBe(404);
    expect(JSON.stringify((await stack.call("GET", "/v1/users?limit=500")).body)).not.toContain(userId);
    expect(JSON.stringify((await stack.call("GET", "/v1/dead-letters")).body)).not.toContain("2".repeat(32));

    expect(await exportOf(userId)).toEqual([]);

    // What was on its way arrives only now, and a letter is replayed; bob's part counts, ann's does not.
    const interactions: Queue = await stack.binding("recommendation", "INTERACTIONS");
    await interactions.send(inFlight);
    const places: Queue = await stack.binding("recommendation", "LOCATIONS");
    await places.send({
      ...{ application: "demo", userId, object, generation: 0 },
      rows: [{ seq: 5, ...oslo, time: Date.now() / 1000 + 200, precision: "exact" }],
    });
    await pollUntil(
      () => historyOf("bob"),
      (ids) => ids.includes("bob-late"),
      20,
    );
    const replayed = await stack.call("POST", `/v1/dead-letters/interactions~${"1".repeat(32)}/replay`);
    expect(replayed.status).toBe(200);
    expect(await historyOf("bob")).toEqual(expect.arrayContaining(["bob-1", "bob-late"]));
    await new Promise((resolve) => setTimeout(resolve, 3000));
    // The tombstone, which names a pseudonym, is what is left in any row, object, letter, copy, Durable Object or log.
    expect(await findTraces(stack, [...names, receipt], [])).toEqual(["user erasures"]);
    expect(await historyOf(userId)).toEqual([]);

    // Somebody new under the same id, with the same event ids, is there to stay.
    expect((await send(userId, ["ann-1"])).body).toMatchObject({ accepted: 1, duplicates: 0 });
    expect(
      await pollUntil(
        () => historyOf(userId),
        (ids) => ids.length === 1,
      ),
    ).toEqual(["ann-1"]);
    await interactions.send(inFlight);
    const again = await stack.call<Erasure>("GET", `/v1/erasures/${done.id}`);
    expect(again.body).toEqual(done);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(await historyOf(userId)).toEqual(["ann-1"]);
    const { body } = await stack.call<{ consent: unknown; home: unknown }>("GET", `/v1/users/${userId}`);
    expect(body).toMatchObject({ home: null, consent: { location: "exact" } });
    // And may be erased in turn.
    const second = await eraseWhole(userId);
    expect(second.id).not.toBe(done.id);
    expect(await historyOf(userId)).toEqual([]);
  });

  it("whose erasure another application asks for is not found", async () => {
    const done = await eraseWhole("cleo");
    const { body } = await stack.call<{ key: string }>("POST", "/v1/keys", {
      body: { application: "other", role: "admin" },
    });
    expect((await stack.call("GET", `/v1/erasures/${done.id}`, { key: body.key })).status).toBe(404);
    expect((await stack.call("GET", "/v1/erasures/nothing")).status).toBe(404);
  });
});

/** An event that is on its way, with a clock ahead of ours. */
function late(eventId: string, seq: number): InteractionsMessage["users"][number]["rows"][number] {
  return {
    kind: "interaction",
    seq,
    interaction: {
      ...{ eventId, type: "view", productId: "oslo-3", time: Date.now() / 1000 + 200 },
      ...{ recommendationId: null, location: oslo, first: true, previous: [] },
      facts: { cell: null, lat: null, lon: null, category: null, price: null },
    },
  };
}
