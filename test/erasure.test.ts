import type { D1Database, Queue, R2Bucket } from "@cloudflare/workers-types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Erasure, erasure } from "../shared/contracts/erasure.ts";
import type { EventReceipt } from "../shared/contracts/event.ts";
import type { Page } from "../shared/contracts/page.ts";
import type { InteractionsMessage } from "../shared/contracts/queues.ts";
import type { UserInteraction } from "../shared/contracts/user.ts";
import { logPseudonymOf } from "../shared/pseudonyms/hashed-names.ts";
import { exportUserData } from "./support/export-user-data.ts";
import { findStoresContaining, findTraces } from "./support/find-traces.ts";
import { startWithProducts } from "./support/import-products.ts";
import { ndjsonHeaders, toNdjson } from "./support/ndjson.ts";
import { pollUntil } from "./support/polling.ts";
import { generateProducts, oslo } from "./support/products.ts";
import { objectIdIn, stackPseudonymKeys } from "./support/pseudonyms.ts";
import { TestStack } from "./support/test-stack.ts";

const stack = new TestStack();
const products = generateProducts("oslo", oslo, 40);

beforeAll(() => startWithProducts(stack, oslo, products));
afterAll(() => stack.stop());

const sendViews = (userId: string, ids: string[], more: object = {}) =>
  stack.call<EventReceipt>("POST", "/v1/events", {
    body: {
      events: ids.map((eventId, i) => ({ eventId, userId, type: "view", productId: `oslo-${i}`, ...more })),
    },
  });
const eventIdsOf = async (userId: string) =>
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
/** Returns a user's pseudonym: the hexadecimal id of their object. */
const pseudonymOf = async (userId: string) => objectIdIn(await recommend(userId));

/** Erases a user through the API and waits until the erasure is done in every store. */
const eraseUser = async (userId: string): Promise<Erasure> => {
  const { status, body, headers } = await stack.call<Erasure>("DELETE", `/v1/users/${userId}`);
  expect(status, JSON.stringify(body)).toBe(202);
  expect(headers.get("location")).toBe(`/v1/erasures/${erasure.parse(body).id}`);
  const { body: done } = await pollUntil(
    () => stack.call<Erasure>("GET", `/v1/erasures/${body.id}`),
    (response) => response.body.status === "done",
    30,
  );
  expect(done.status, JSON.stringify(done)).toBe("done");
  expect(done.stores.every((store) => store.status === "done")).toBe(true);
  return done;
};

describe("user erasure", () => {
  it("removes every trace of the user, drops late messages, and lets a new user take the id", async () => {
    const userId = "ann.who-is-erased";
    await stack.call("PUT", `/v1/users/${userId}`, {
      body: { home: oslo, attributes: { nickname: "nickname-of-ann" } },
    });
    const receipt = await recommend(userId);
    const pseudonym = await pseudonymOf(userId);
    await stack.call("PUT", `/v1/users/${userId}/location`, { body: oslo });
    expect((await sendViews(userId, ["ann-1", "ann-2"], { recommendationId: receipt })).body.accepted).toBe(
      2,
    );
    const bulk = toNdjson([
      { eventId: "ann-3", userId, type: "cart", productId: "oslo-9", timestamp: "2025-05-01T00:00:00Z" },
    ]);
    await stack.call("POST", "/v1/events/bulk", { body: bulk, headers: ndjsonHeaders });
    expect((await sendViews("bob", ["bob-1"])).body.accepted).toBe(1);
    await pollUntil(
      () => eventIdsOf(userId),
      (ids) => ids.length === 3,
    );
    const logPseudonym = await logPseudonymOf(await stackPseudonymKeys(), pseudonym);
    const traces = [userId, pseudonym, logPseudonym, "nickname-of-ann", "ann-1", "ann-2", "ann-3"];
    await pollUntil(
      () => findStoresContaining(stack, [logPseudonym]),
      (stores) => stores.some((store) => store.includes("/log/v1/")),
    );
    await pollUntil(
      () => findStoresContaining(stack, [userId]),
      (stores) => stores.includes("user user_locations"),
    );
    // Two dead-letter messages: one with rows of ann and bob, and one that no consumer can parse.
    const bucket: R2Bucket = await stack.binding("recommendation", "DEAD_LETTERS");
    const inFlight: InteractionsMessage = {
      application: "demo",
      users: [
        { userId, pseudonym, generation: 0, rows: [lateRow("ann-late", 900)] },
        {
          userId: "bob",
          pseudonym: await pseudonymOf("bob"),
          generation: 0,
          rows: [lateRow("bob-late", 901)],
        },
      ],
    };
    const deadLetter = (id: string, body: unknown) =>
      bucket.put(
        `demo/dead/interactions/${id}.json`,
        JSON.stringify({
          ...{ id: `interactions~${id}`, queue: "interactions", cause: "c", attempts: 1, body },
          ...{ sentAt: "2026-01-01T00:00:00.000Z", diedAt: "2026-01-01T00:00:00.000Z" },
        }),
      );
    await deadLetter("1".repeat(32), inFlight);
    await deadLetter("2".repeat(32), { application: "demo", users: userId });
    // Outcome counts of the user in a rollout that has not ended.
    const registry: D1Database = await stack.binding("recommendation", "DB");
    await registry
      .prepare("INSERT INTO outcomes VALUES ('demo', 'rollout:v2', ?, 'canary', 3, 1)")
      .bind(pseudonym)
      .run();
    expect((await findStoresContaining(stack, traces)).length).toBeGreaterThanOrEqual(7);

    const { body: issued } = await stack.call<{ token: string }>("POST", "/v1/tokens", { body: { userId } });
    const exported = await exportUserData(stack, userId, issued.token);
    expect(new Set(exported.map(({ store }) => store))).toEqual(
      new Set([
        ...["profile", "interactions", "locations", "memory", "journal"],
        ...["receipts", "experiments", "training_log", "dead_letters"],
      ]),
    );
    const exportText = JSON.stringify(exported);
    for (const name of ["nickname-of-ann", "ann-1", "ann-2", "ann-3", receipt])
      expect(exportText).toContain(name);
    for (const name of ["bob", "bob-1", "bob-late"]) expect(exportText).not.toContain(`"${name}"`);
    const countOf = (store: string) => exported.filter((item) => item.store === store).length;
    expect([countOf("profile"), countOf("interactions"), countOf("locations"), countOf("memory")]).toEqual([
      1, 3, 1, 1,
    ]);
    expect(countOf("receipts")).toBe(2);
    for (const path of ["/v1/users/bob/export", "/v1/users/bob"])
      expect((await stack.call("GET", path, { key: issued.token })).status).toBe(403);
    for (const cursor of ["nonsense", Buffer.from('{"part":"object","at":3}').toString("base64url")]) {
      const damaged = await stack.call("GET", `/v1/users/${userId}/export?cursor=${cursor}`);
      expect(damaged.status, JSON.stringify(damaged.body)).toBe(404);
    }

    const done = await eraseUser(userId);
    const removed = new Map(done.stores.map(({ store, removed }) => [store, removed]));
    for (const store of ["records", "object", "receipts", "dead_letters", "training_log"] as const)
      expect(removed.get(store), store).toBeGreaterThan(0);

    expect((await stack.call("GET", `/v1/users/${userId}`)).status).toBe(404);
    expect(await eventIdsOf(userId)).toEqual([]);
    expect((await stack.call("GET", `/v1/recommendations/${receipt}`)).status).toBe(404);
    expect(JSON.stringify((await stack.call("GET", "/v1/users?limit=500")).body)).not.toContain(userId);
    expect(JSON.stringify((await stack.call("GET", "/v1/dead-letters")).body)).not.toContain("2".repeat(32));

    expect(await exportUserData(stack, userId)).toEqual([]);

    // Late messages arrive now, and a dead-letter message is replayed. The consumers keep bob's rows and drop ann's.
    const interactions: Queue = await stack.binding("recommendation", "INTERACTIONS");
    await interactions.send(inFlight);
    const locations: Queue = await stack.binding("recommendation", "LOCATIONS");
    await locations.send({
      ...{ application: "demo", userId, pseudonym, generation: 0 },
      rows: [{ seq: 5, ...oslo, time: Date.now() / 1000 + 200, precision: "exact" }],
    });
    await pollUntil(
      () => eventIdsOf("bob"),
      (ids) => ids.includes("bob-late"),
      20,
    );
    const replayed = await stack.call("POST", `/v1/dead-letters/interactions~${"1".repeat(32)}/replay`);
    expect(replayed.status).toBe(200);
    expect(await eventIdsOf("bob")).toEqual(expect.arrayContaining(["bob-1", "bob-late"]));
    await new Promise((resolve) => setTimeout(resolve, 3000));
    // Only the tombstones, which contain the pseudonyms, are left. No other row, object, message, Durable Object or log has a trace.
    expect(await findTraces(stack, [...traces, receipt], [])).toEqual(["user erasures"]);
    expect(await eventIdsOf(userId)).toEqual([]);

    // A new user with the same id and the same event ids stays, although a message of the erased user arrives again.
    expect((await sendViews(userId, ["ann-1"])).body).toMatchObject({ accepted: 1, duplicates: 0 });
    expect(
      await pollUntil(
        () => eventIdsOf(userId),
        (ids) => ids.length === 1,
      ),
    ).toEqual(["ann-1"]);
    await interactions.send(inFlight);
    const again = await stack.call<Erasure>("GET", `/v1/erasures/${done.id}`);
    expect(again.body).toEqual(done);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(await eventIdsOf(userId)).toEqual(["ann-1"]);
    const { body } = await stack.call<{ consent: unknown; home: unknown }>("GET", `/v1/users/${userId}`);
    expect(body).toMatchObject({ home: null, consent: { location: "approximate" } });
    // The new user can be erased too.
    const second = await eraseUser(userId);
    expect(second.id).not.toBe(done.id);
    expect(await eventIdsOf(userId)).toEqual([]);
  });

  it("hides an erasure from other applications", async () => {
    const done = await eraseUser("cleo");
    const { body } = await stack.call<{ key: string }>("POST", "/v1/keys", {
      body: { application: "other", role: "admin" },
    });
    expect((await stack.call("GET", `/v1/erasures/${done.id}`, { key: body.key })).status).toBe(404);
    expect((await stack.call("GET", "/v1/erasures/nothing")).status).toBe(404);
  });
});

/** Returns an outbox row of an event that happens 200 s after now, so that it is newer than the erasure. */
function lateRow(eventId: string, seq: number): InteractionsMessage["users"][number]["rows"][number] {
  return {
    kind: "interaction",
    seq,
    interaction: {
      ...{ eventId, type: "view", productId: "oslo-3", time: Date.now() / 1000 + 200 },
      ...{ recommendationId: null, location: oslo, first: true, firstPurchase: false, previous: [] },
      ...{ counts: true, networkKey: null },
      facts: { cell: null, lat: null, lon: null, category: null, priceMinor: null, currency: null },
    },
  };
}
