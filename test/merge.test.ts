import type { D1Database } from "@cloudflare/workers-types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Erasure } from "../shared/contracts/erasure.ts";
import type { EventReceipt } from "../shared/contracts/event.ts";
import { type Merge, merge } from "../shared/contracts/merge.ts";
import type { Page } from "../shared/contracts/page.ts";
import type { Problem } from "../shared/contracts/problem.ts";
import type { ProductWithTotals } from "../shared/contracts/product.ts";
import type { UserInteraction } from "../shared/contracts/user.ts";
import { exportUserData } from "./support/export-user-data.ts";
import { findStoresContaining, findTraces } from "./support/find-traces.ts";
import { startWithProducts } from "./support/import-products.ts";
import { pollUntil } from "./support/polling.ts";
import { generateProducts, oslo } from "./support/products.ts";
import { objectIdIn } from "./support/pseudonyms.ts";
import { TestStack } from "./support/test-stack.ts";

const stack = new TestStack();
const products = generateProducts("oslo", oslo, 40);

beforeAll(() => startWithProducts(stack, oslo, products));
afterAll(() => stack.stop());

const send = async (userId: string, events: object[], key?: string) =>
  stack.call<EventReceipt & Problem>("POST", "/v1/events", {
    key,
    body: { events: events.map((event) => ({ userId, type: "view", productId: "oslo-0", ...event })) },
  });
const sendAll = async (userId: string, events: object[]) => {
  const { body } = await send(userId, events);
  expect(body, JSON.stringify(body)).toMatchObject({ accepted: events.length, rejected: [] });
};
const historyOf = async (userId: string) =>
  (await stack.call<Page<UserInteraction>>("GET", `/v1/users/${userId}/interactions?limit=500`)).body.items;
const waitForEvents = (userId: string, count: number) =>
  pollUntil(
    () => historyOf(userId),
    (items) => items.length === count,
  );
const recommend = async (userId: string) => {
  const { status, body } = await stack.call<{ recommendationId: string; items: { productId: string }[] }>(
    "POST",
    "/v1/recommendations",
    { body: { userId, location: oslo, limit: 5 } },
  );
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
};
/** Returns the id of a user's object. */
const objectIdOf = async (userId: string) => objectIdIn((await recommend(userId)).recommendationId);
const receiptOf = (id: string) => stack.call<object>("GET", `/v1/recommendations/${id}`);
const totalsOf = async (productId: string) =>
  (await stack.call<ProductWithTotals>("GET", `/v1/products/${productId}`)).body.totals;
const tokenOf = async (userId: string) =>
  (await stack.call<{ token: string }>("POST", "/v1/tokens", { body: { userId } })).body.token;
const beginMerge = (into: string, body: object, key?: string) =>
  stack.call<Omit<Merge, "status"> & Problem>("POST", `/v1/users/${into}/merge`, { body, key });
const waitForMerge = async (id: string): Promise<Merge> => {
  const { body } = await pollUntil(
    () => stack.call<Merge>("GET", `/v1/merges/${id}`),
    (response) => response.body.status !== "running",
    40,
  );
  return merge.parse(body);
};
/** Merges one user into another, and waits until the merge has ended. */
async function mergeUsers(from: string, into: string): Promise<Merge> {
  const { status, body, headers } = await beginMerge(into, { from });
  expect(status, JSON.stringify(body)).toBe(202);
  expect(headers.get("location")).toBe(`/v1/merges/${body.id}`);
  const ended = await waitForMerge(body.id);
  expect(ended.status, JSON.stringify(ended)).toBe("done");
  expect(ended.stores.every(({ status }) => status === "done")).toBe(true);
  return ended;
}
const erase = async (userId: string): Promise<Erasure> => {
  const { body } = await stack.call<Erasure>("DELETE", `/v1/users/${userId}`);
  const { body: ended } = await pollUntil(
    () => stack.call<Erasure>("GET", `/v1/erasures/${body.id}`),
    (response) => response.body.status === "done",
    40,
  );
  expect(ended.status, JSON.stringify(ended)).toBe("done");
  return ended;
};

describe("a merge", () => {
  it("moves history, profile, receipts and counts of an anonymous user, each once, and leaves nothing behind", async () => {
    const [anonymous, known] = ["anon-1", "ann"];
    await sendAll(known, [{ eventId: "own", type: "purchase", productId: "oslo-1" }]);
    const shown = await recommend(anonymous);
    await sendAll(anonymous, [
      { eventId: "a-1", recommendationId: shown.recommendationId, productId: shown.items[0].productId },
      { eventId: "a-2", type: "cart", productId: "oslo-2" },
      { eventId: "own", type: "view", productId: "oslo-3" },
    ]);
    await stack.call("PUT", `/v1/users/${anonymous}/location`, { body: oslo });
    await waitForEvents(anonymous, 3);
    await waitForEvents(known, 1);
    const registry: D1Database = await stack.binding("recommendation", "DB");
    const from = await objectIdOf(anonymous);
    await registry
      .prepare("INSERT INTO outcomes VALUES ('demo', 'rollout:v2', ?, 'canary', 3, 1)")
      .bind(from)
      .run();
    const before = await totalsOf("oslo-2");
    await pollUntil(
      () => exportUserData(stack, anonymous),
      (items) => items.filter(({ store }) => store === "training_log").length === 3,
    );
    const oldToken = await tokenOf(anonymous);

    const ended = await mergeUsers(anonymous, known);
    const moved = Object.fromEntries(ended.stores.map(({ store, moved }) => [store, moved]));
    expect(moved).toMatchObject({ events: 3, receipts: 2, profile: 1, interactions: 3, locations: 1 });

    const history = await historyOf(known);
    expect(history.map(({ productId }) => productId).sort()).toEqual(
      ["oslo-1", "oslo-2", "oslo-3", shown.items[0].productId].sort(),
    );
    expect(await totalsOf("oslo-2")).toEqual(before);
    expect(before).toMatchObject({ cart: 1, people: 1 });
    expect((await receiptOf(shown.recommendationId)).status).toBe(200);
    const exported = await exportUserData(stack, known);
    const stores = exported.map(({ store }) => store);
    expect(stores.filter((store) => store === "interactions")).toHaveLength(4);
    expect(stores.filter((store) => store === "training_log")).toHaveLength(4);
    expect(stores).toContain("locations");
    expect(stores).toContain("receipts");
    expect(exported.find((item) => item.store === "memory")).toMatchObject({
      memory: { events: 4, choices: 4 },
    });

    // The anonymous user leads nowhere.
    expect((await stack.call("GET", `/v1/users/${anonymous}`)).status).toBe(404);
    expect(await historyOf(anonymous)).toEqual([]);
    expect(await exportUserData(stack, anonymous)).toEqual([]);
    expect((await send(anonymous, [{ eventId: "late" }])).body).toMatchObject({ code: "nothing_accepted" });
    expect((await send(anonymous, [{ eventId: "late" }], oldToken)).status).toBe(401);
    // A line of history for the merged user is refused, and keeps no other line from being stored.
    const line = (userId: string) =>
      JSON.stringify({ eventId: "imported", userId, type: "view", productId: "oslo-0" });
    const bulk = await stack.call("POST", "/v1/events/bulk", {
      body: `${line(anonymous)}\n${line("somebody")}`,
      headers: { "content-type": "application/x-ndjson" },
    });
    expect(bulk.body).toMatchObject({ accepted: 1, errors: [{ line: 1, code: "user_merged" }] });
    expect(
      (await stack.call<Problem>("PUT", `/v1/users/${anonymous}/location`, { body: oslo })).body.code,
    ).toBe("user_merged");
    const put = await stack.call<Problem>("PUT", `/v1/users/${anonymous}`, { body: { home: oslo } });
    expect([put.status, put.body.code]).toEqual([409, "user_merged"]);
    expect((await stack.call("GET", `/v1/users/${anonymous}`)).status).toBe(404);
    await recommend(anonymous);
    expect(await exportUserData(stack, anonymous)).toEqual([]);
    const counts = await registry.prepare("SELECT * FROM outcomes WHERE pseudonym = ?").bind(from).all();
    expect(counts.results).toEqual([]);

    // An event that is sent again is a duplicate, and one that followed the recommendation is its outcome.
    expect((await send(known, [{ eventId: "a-2", type: "cart", productId: "oslo-2" }])).body).toMatchObject({
      accepted: 0,
      duplicates: 1,
    });
    await sendAll(known, [
      {
        eventId: "k-2",
        type: "click",
        recommendationId: shown.recommendationId,
        productId: shown.items[1].productId,
      },
    ]);
    const receipt = (await exportUserData(stack, known)).find(
      (item) => item.store === "receipts" && item.receipt.recommendationId === shown.recommendationId,
    );
    expect(receipt).toMatchObject({
      outcomes: expect.arrayContaining([
        { productId: shown.items[0].productId, type: "view" },
        { productId: shown.items[1].productId, type: "click" },
      ]),
    });
    // The same merge again is the same merge, and an erasure of the anonymous user removes the lines of its log.
    const again = await beginMerge(known, { from: anonymous });
    expect([again.status, again.body]).toEqual([202, ended]);
    const erased = await erase(anonymous);
    expect(erased.stores.filter(({ removed }) => removed > 0)).toEqual([
      { store: "training_log", status: "done", removed: 3 },
    ]);
    expect(await waitForEvents(known, 5)).toHaveLength(5);
    expect((await receiptOf(shown.recommendationId)).status).toBe(200);

    // Erasing the known user erases what is stored under the anonymous one, too.
    await erase(known);
    expect((await receiptOf(shown.recommendationId)).status).toBe(404);
    const traces = [anonymous, from, await objectIdOf(known), "a-1", "a-2", "k-2"];
    expect(await findStoresContaining(stack, traces)).toEqual(["user erasures"]);
    const places = await findTraces(stack, [...traces, shown.recommendationId], []);
    expect(places.filter((place) => place !== "user erasures")).toEqual([]);
  });

  it("is refused for the same user, for users of two merges, and without both tokens", async () => {
    await sendAll("anon-2", [{ eventId: "e" }]);
    await sendAll("bob", [{ eventId: "e", type: "cart" }]);
    const [anonymous, bob, cleo] = await Promise.all(["anon-2", "bob", "cleo"].map(tokenOf));
    const same = await beginMerge("bob", { from: "bob" });
    expect([same.status, same.body.errors?.[0].path]).toEqual([400, "from"]);
    expect((await beginMerge("bob", {})).status).toBe(400);
    expect((await beginMerge("bob", { from: "anon-2" }, bob)).status).toBe(400);
    expect((await beginMerge("bob", { from: "anon-2", fromToken: "nonsense" }, bob)).status).toBe(403);
    expect((await beginMerge("bob", { from: "anon-2", fromToken: cleo }, bob)).status).toBe(403);
    expect((await beginMerge("bob", { from: "anon-2", fromToken: bob }, bob)).status).toBe(403);
    expect((await beginMerge("bob", { from: "anon-2", fromToken: anonymous }, anonymous)).status).toBe(403);
    expect((await beginMerge("bob", { from: "anon-2", fromToken: cleo })).status).toBe(403);
    expect(await waitForEvents("anon-2", 1)).toHaveLength(1);

    const begun = await beginMerge("bob", { from: "anon-2", fromToken: anonymous }, bob);
    expect(begun.status, JSON.stringify(begun.body)).toBe(202);
    const { id } = begun.body;
    await waitForMerge(id);
    expect(await waitForEvents("bob", 2)).toHaveLength(2);
    expect((await stack.call("GET", `/v1/merges/${id}`, { key: bob })).status).toBe(200);
    for (const key of [anonymous, cleo])
      expect((await stack.call("GET", `/v1/merges/${id}`, { key })).status).toBe(404);
    expect((await stack.call("GET", "/v1/merges/nothing")).status).toBe(404);
    // The same request again, although the merge has ended the token of the anonymous user.
    const again = await beginMerge("bob", { from: "anon-2", fromToken: anonymous }, bob);
    expect([again.status, again.body.id]).toEqual([202, id]);
    const other = await beginMerge("cleo", { from: "anon-2" });
    expect([other.status, other.body.code]).toEqual([409, "user_merged"]);
    await sendAll("cleo", [{ eventId: "before" }]);
    const intoMerged = await beginMerge("anon-2", { from: "cleo" });
    expect([intoMerged.status, intoMerged.body.code]).toEqual([409, "user_merged"]);
    await sendAll("cleo", [{ eventId: "still-there" }]);
  });

  it("S1: takes a session that did nothing, whose token ends, and no other unknown user", async () => {
    const { body: key } = await stack.call<{ key: string }>("POST", "/v1/keys", {
      body: { role: "server", scopes: ["people:write"] },
    });
    const startSession = async () =>
      (
        await stack.call<{ userId: string; token: string }>("POST", "/v1/sessions", {
          key: "dev-publishable-key",
          body: {},
        })
      ).body;
    const session = await startSession();
    const begun = await beginMerge("dora", { from: session.userId }, key.key);
    expect(begun.status, JSON.stringify(begun.body)).toBe(202);
    const ended = await waitForMerge(begun.body.id);
    expect([ended.status, ...ended.stores.map(({ moved }) => moved)]).toEqual([
      "done",
      0,
      0,
      0,
      1,
      0,
      0,
      0,
      0,
    ]);
    expect((await stack.call("GET", "/v1/users/dora")).status).toBe(404);
    expect((await send(session.userId, [{ eventId: "e" }])).body.code).toBe("nothing_accepted");
    const refused = await send(session.userId, [{ eventId: "e" }], session.token);
    expect([refused.status, refused.body.detail]).toEqual([401, expect.stringContaining("merged")]);

    const unknown = await beginMerge("dora", { from: "typo" });
    expect([unknown.status, unknown.body.code]).toEqual([404, "not_found"]);
    await sendAll("typo", [{ eventId: "e" }]);
    const [dora, ida] = [await tokenOf("dora"), await tokenOf("ida")];
    expect((await beginMerge("dora", { from: "ida", fromToken: ida }, dora)).status).toBe(202);

    // A key without `people:read` starts a session, and does not read with it what a known or anonymous user has.
    const [victim, own] = [await startSession(), await startSession()];
    await sendAll(victim.userId, [{ eventId: "e" }]);
    for (const from of ["typo", victim.userId]) {
      expect((await beginMerge(own.userId, { from }, key.key)).status).toBe(403);
      expect((await beginMerge(own.userId, { from }, "dev-server-key")).status).toBe(403);
      expect((await beginMerge(own.userId, { from }, own.token)).status).toBe(400);
      expect(await waitForEvents(from, 1)).toHaveLength(1);
    }
  });

  it("gives an erased id to a new user, who has nothing of the merged one", async () => {
    const id = "again";
    const shown = await recommend(id);
    await sendAll(id, [{ eventId: "same", recommendationId: shown.recommendationId }]);
    const oldToken = await tokenOf(id);
    await mergeUsers(id, "jan");
    expect((await send(id, [{ eventId: "frozen" }])).body.code).toBe("nothing_accepted");
    await erase(id);

    expect((await send(id, [{ eventId: "old" }], oldToken)).status).toBe(401);
    await sendAll(id, [{ eventId: "same", type: "cart", productId: "oslo-7" }]);
    expect((await send(id, [{ eventId: "new" }], await tokenOf(id))).body).toMatchObject({ accepted: 1 });
    expect((await stack.call("PUT", `/v1/users/${id}`, { body: { home: oslo } })).status).toBe(201);
    const next = await recommend(id);
    expect((await waitForEvents(id, 2)).map(({ eventId }) => eventId).sort()).toEqual(["new", "same"]);
    expect(JSON.stringify(await exportUserData(stack, id))).not.toContain(shown.recommendationId);
    expect(await historyOf("jan")).toHaveLength(1);
    const ofJan = async () => JSON.stringify(await exportUserData(stack, "jan"));
    expect(await ofJan()).toContain(shown.recommendationId);
    expect(await ofJan()).not.toContain(next.recommendationId);
    expect((await receiptOf(shown.recommendationId)).status).toBe(200);

    // The id is merged again, into the same user, whose event of the first merge has the same id.
    await mergeUsers(id, "jan");
    expect((await historyOf("jan")).map(({ productId }) => productId).sort()).toEqual([
      "oslo-0",
      "oslo-0",
      "oslo-7",
    ]);
    for (const { recommendationId } of [shown, next])
      expect((await receiptOf(recommendationId)).status).toBe(200);
    await erase(id);

    // An erasure of the user who stays leaves the next user with the id alone.
    await sendAll(id, [{ eventId: "third" }]);
    await erase("jan");
    for (const { recommendationId } of [shown, next])
      expect((await receiptOf(recommendationId)).status).toBe(404);
    expect(await waitForEvents(id, 1)).toHaveLength(1);
    await sendAll(id, [{ eventId: "fourth" }]);
  });

  it("follows a user who is merged again", async () => {
    const shown = await recommend("anon-3");
    await sendAll("anon-3", [{ eventId: "chain-1", recommendationId: shown.recommendationId }]);
    await mergeUsers("anon-3", "ed");
    await sendAll("ed", [{ eventId: "chain-2" }]);
    await mergeUsers("ed", "fay");
    expect((await historyOf("fay")).map(({ eventId }) => eventId).sort()).toEqual(["chain-1", "chain-2"]);
    expect((await receiptOf(shown.recommendationId)).status).toBe(200);
    await pollUntil(
      () => exportUserData(stack, "fay"),
      (items) => items.filter(({ store }) => store === "training_log").length === 2,
    );
    const traces = await Promise.all(["anon-3", "ed", "fay"].map((user) => objectIdOf(user)));
    await erase("fay");
    expect((await receiptOf(shown.recommendationId)).status).toBe(404);
    expect(await findStoresContaining(stack, [...traces, "chain-1", "chain-2"])).toEqual(["user erasures"]);
  });

  it("keeps the settings of the known user, or else takes those of the anonymous one", async () => {
    await stack.call("PUT", "/v1/users/anon-4", {
      body: { consent: { location: "exact" }, attributes: { newsletter: true } },
    });
    await stack.call("PUT", "/v1/users/anon-4/location", { body: oslo });
    await sendAll("anon-4", [{ eventId: "e", location: { lat: 59.91234, lon: 10.75678 } }]);
    await stack.call("PUT", "/v1/users/gil", { body: { consent: { location: "city" } } });
    await mergeUsers("anon-4", "gil");
    const gil = await stack.call("GET", "/v1/users/gil");
    expect(gil.body).toMatchObject({ consent: { location: "city" }, attributes: {} });
    const exported = JSON.stringify(await exportUserData(stack, "gil"));
    for (const precise of ["59.91234", String(oslo.lat), "59.913"]) expect(exported).not.toContain(precise);
    const [{ location }] = await historyOf("gil");
    expect(location).not.toBeNull();

    await stack.call("PUT", "/v1/users/anon-5", {
      body: { consent: { location: "none" }, attributes: { newsletter: true } },
    });
    await sendAll("anon-5", [{ eventId: "e" }]);
    await mergeUsers("anon-5", "hal");
    expect((await stack.call("GET", "/v1/users/hal")).body).toMatchObject({
      consent: { location: "none" },
      attributes: { newsletter: true },
    });
  });
});
