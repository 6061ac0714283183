import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Vicinity } from "../../client/vicinity.ts";
import type { RecommendationAnswer } from "../../shared/contracts/recommendation.ts";
import { findStoresContaining, findTraces } from "../support/find-traces.ts";
import { waitForNearbyProducts } from "../support/import-products.ts";
import { pollUntil } from "../support/polling.ts";
import { generateProducts, oslo } from "../support/products.ts";
import { objectIdIn } from "../support/pseudonyms.ts";
import { TestStack } from "../support/test-stack.ts";

const stack = new TestStack();
let vicinity: Vicinity;

beforeAll(async () => {
  await stack.start();
  vicinity = new Vicinity({ url: stack.url, credential: "dev-admin-key" });
});
afterAll(() => stack.stop());

describe("ids of printable Unicode", () => {
  const userIds = ["a@b.com", "auth0|123", "ünï 🍞", "a/b:c?d#e%2F"];
  const productIds = ["gid://shopify/Product/1", "ABC/1-2", "ünï", "50% off: 用户", "x".repeat(120)];

  it("E8: name products and users in every route, store and answer", async () => {
    const products = generateProducts("unicode", oslo, productIds.length).map((product, i) => ({
      ...product,
      id: productIds[i],
    }));
    expect(await vicinity.products.putMany(products)).toMatchObject({ accepted: productIds.length });
    await waitForNearbyProducts(stack, oslo, products);
    for (const id of productIds) {
      expect((await vicinity.products.get(id)).id).toBe(id);
      expect((await vicinity.products.similar(id)).items.map(({ productId }) => productId)).not.toContain(id);
      await vicinity.products.patch(id, { title: `New title of ${id}` });
    }
    for (const userId of userIds) {
      await vicinity.users.put(userId, { home: oslo });
      expect((await vicinity.users.get(userId)).id).toBe(userId);
      const { token } = await vicinity.issueToken(userId);
      const own = new Vicinity({ url: stack.url, credential: token });
      const events = productIds.map((productId, i) => ({
        eventId: `${productId}/${i}`,
        userId,
        type: "click" as const,
        productId,
      }));
      expect(await own.sendEvents(events)).toMatchObject({ accepted: events.length, warnings: [] });
      await own.users.setLocation(userId, oslo);
      const { items } = await own.recommend({ userId, exclude: [productIds[0]] });
      const shown = items.map(({ productId }) => productId);
      expect(new Set(shown)).toEqual(new Set(productIds.slice(1)));
      const history = await pollUntil(
        async () => {
          const found: string[] = [];
          let cursor: string | undefined;
          do {
            const page = await vicinity.users.listInteractions(userId, { limit: 2, cursor });
            found.push(...page.items.map(({ eventId }) => eventId));
            cursor = page.nextCursor;
          } while (cursor !== undefined);
          return found;
        },
        (found) => found.length === events.length,
      );
      expect([...history].sort()).toEqual(events.map(({ eventId }) => eventId).sort());
    }
    const listed = await vicinity.users.list({ limit: 100 });
    expect(new Set(listed.items.map(({ id }) => id))).toEqual(new Set(userIds));
    const erasure = await vicinity.users.erase(userIds[3]);
    expect((await vicinity.users.getErasure(erasure.id)).id).toBe(erasure.id);
    for (const id of productIds) {
      await vicinity.products.remove(id);
      await expect(vicinity.products.get(id)).rejects.toMatchObject({ problem: { status: 404 } });
    }
  });

  it("E8: leave no trace after the erasure of a user whose id is percent-encoded in paths", async () => {
    const userId = "erased/ünï?#%2F 🍞";
    const eventId = "erased-event/ü";
    await vicinity.users.put(userId, { home: oslo, attributes: { note: "erased-note" } });
    await vicinity.users.setLocation(userId, oslo);
    const { recommendationId } = await vicinity.recommend({ userId, location: oslo });
    const event = { eventId, userId, type: "click" as const, productId: "erased-product/ü" };
    expect(await vicinity.sendEvents([event])).toMatchObject({ accepted: 1 });
    const pseudonym = await objectIdIn(recommendationId);
    const traces = [userId, encodeURIComponent(userId), eventId, "erased-note", pseudonym];
    const stores = await pollUntil(
      () => findStoresContaining(stack, traces),
      (found) => ["user users", "user recent_interactions"].every((store) => found.includes(store)),
    );
    // The search works: it finds what is stored before the erasure.
    expect(stores).toEqual(expect.arrayContaining(["user users", "user recent_interactions"]));
    const { id } = await vicinity.users.erase(userId);
    await pollUntil(
      () => vicinity.users.getErasure(id),
      ({ status }) => status === "done",
      30,
    );
    expect(await findTraces(stack, traces, [])).toEqual(["user erasures"]);
    await expect(vicinity.users.get(userId)).rejects.toMatchObject({ problem: { status: 404 } });
  });

  it("E8: name the user of a live connection", async () => {
    const userId = userIds[2];
    const { token } = await vicinity.issueToken(userId);
    const received = new Promise<RecommendationAnswer>((resolve, reject) => {
      const url = `${stack.url.replace(/^http/, "ws")}v1/users/${encodeURIComponent(userId)}/live`;
      const socket = new WebSocket(url, ["vicinity", token]);
      socket.addEventListener("error", reject);
      socket.addEventListener("message", ({ data }) => {
        resolve(JSON.parse(String(data)));
        socket.close();
      });
      socket.addEventListener("open", () => void vicinity.users.setLocation(userId, oslo).catch(reject));
    });
    expect(await received).toHaveProperty("recommendationId");
  });

  it("E7: are not `.` or `..`, in bulk and events as elsewhere", async () => {
    for (const id of [".", ".."]) {
      const event = { eventId: "e", userId: "u", type: "view", productId: "p" };
      for (const wrong of [{ eventId: id }, { userId: id }, { productId: id }]) {
        const answer = await stack.call("POST", "/v1/events", { body: { events: [{ ...event, ...wrong }] } });
        expect(answer.status, JSON.stringify(wrong)).toBeGreaterThanOrEqual(400);
        const bulk = await stack.call("POST", "/v1/events/bulk", {
          body: JSON.stringify({ ...event, ...wrong }),
          headers: { "content-type": "application/x-ndjson" },
        });
        expect(JSON.stringify(bulk.body)).toContain(Object.keys(wrong)[0]);
      }
      const product = await stack.call("POST", "/v1/products/bulk", {
        body: JSON.stringify({ id, title: "Dots" }),
        headers: { "content-type": "application/x-ndjson" },
      });
      expect(JSON.stringify(product.body)).toContain("got `.");
      expect((await stack.call("POST", "/v1/recommendations", { body: { userId: id } })).status).toBe(400);
      expect((await stack.call("POST", "/v1/tokens", { body: { userId: id } })).status).toBe(400);
    }
  });
});

describe("what happened to events", () => {
  const event = (eventId: string, more: object = {}) => ({
    eventId,
    userId: "reporter",
    type: "purchase",
    productId: "p",
    ...more,
  });
  const send = (...events: object[]) => stack.call("POST", "/v1/events", { body: { events } });
  const sendLines = (...lines: (object | string)[]) =>
    stack.call("POST", "/v1/events/bulk", {
      body: lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"),
      headers: { "content-type": "application/x-ndjson" },
    });
  const at = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();

  it("E1: is a 422 with a reason for each if all are in the future", async () => {
    const future = at(600);
    const { status, body } = await send(
      event("f1", { timestamp: future }),
      event("f2", { timestamp: future }),
    );
    expect([status, body.code]).toEqual([422, "nothing_accepted"]);
    expect(body.errors).toMatchObject([
      { path: "events.0.timestamp", code: "timestamp_out_of_window" },
      {
        path: "events.1.timestamp",
        message: expect.stringContaining(`got ${future}, and the server's time is`),
      },
    ]);
    const mixed = await send(event("f1", { timestamp: future }), event("now"));
    expect([mixed.status, mixed.body]).toMatchObject([202, { accepted: 1, rejected: [{ index: 0 }] }]);
  });

  it("E1: is an event of now with a warning if a clock is a little ahead", async () => {
    const before = Date.now();
    const { status, body } = await send(event("ahead", { timestamp: at(120) }));
    expect([status, body]).toMatchObject([
      202,
      {
        accepted: 1,
        warnings: expect.arrayContaining([expect.objectContaining({ code: "timestamp_in_future" })]),
      },
    ]);
    const stored = await pollUntil(
      async () =>
        (await vicinity.users.listInteractions("reporter")).items.find((e) => e.eventId === "ahead"),
      (found) => found !== undefined,
    );
    expect(Date.parse(stored?.timestamp ?? "")).toBeGreaterThanOrEqual(before);
    expect(Date.parse(stored?.timestamp ?? "")).toBeLessThanOrEqual(Date.now());
  });

  it("E1: is a warning for a location, too, if a clock is a little ahead", async () => {
    const put = (timestamp: string) =>
      stack.call("PUT", "/v1/users/reporter/location", { body: { ...oslo, timestamp } });
    expect(await put(at(120))).toMatchObject({
      status: 200,
      body: {
        location: { source: "request" },
        warnings: [{ path: "timestamp", code: "timestamp_in_future" }],
      },
    });
    expect((await put(at(-10))).body).not.toHaveProperty("warnings");
  });

  it("E2: is a warning for stored events only, not for those that are refused", async () => {
    const user = { userId: "warned" };
    const { body } = await send(
      event("w1", user),
      event("w1", { ...user, type: "view" }),
      event("w2", { ...user, timestamp: at(600) }),
    );
    expect(body).toMatchObject({
      accepted: 1,
      rejected: [
        {
          index: 1,
          error: { code: "event_id_conflict", message: expect.stringContaining("`type` differs") },
        },
        { index: 2 },
      ],
      warnings: [{ index: 0, code: "unknown_product" }],
    });
    const bulk = await sendLines(
      event("w3", { ...user, timestamp: at(120) }),
      event("w3", { ...user, timestamp: at(120), type: "view" }),
    );
    expect(bulk.body).toMatchObject({ accepted: 1, errors: [{ line: 2 }], warnings: [{ line: 1 }] });
    expect(bulk.body.warnings).toHaveLength(1);
  });

  it("E1: is a warning by line in bulk if a clock is a little ahead", async () => {
    const { body } = await sendLines(event("b1"), event("b2", { timestamp: at(120) }));
    expect(body).toMatchObject({ accepted: 2, warnings: [{ line: 2, code: "timestamp_in_future" }] });
  });

  it("E2: is a conflict, by index, for other line items under the id of an order", async () => {
    const items = ["shirt", "hat", "socks"].map((productId) => event("order-7", { productId }));
    const { status, body } = await send(...items);
    expect([status, body]).toMatchObject([
      202,
      {
        accepted: 1,
        duplicates: 0,
        rejected: [1, 2].map((index) => ({
          index,
          error: { code: "event_id_conflict", path: "eventId", fields: ["productId"] },
        })),
      },
    ]);
    expect((await send(items[1])).status).toBe(422);
    expect((await send(items[0])).body).toMatchObject({ accepted: 0, duplicates: 1, rejected: [] });
    const bulk = await sendLines(items[0], items[1]);
    expect(bulk.body).toMatchObject({ duplicates: 1, errors: [{ line: 2, code: "event_id_conflict" }] });
  });

  it("E2: is a conflict for history that only the database still knows", async () => {
    const old = event("old", { userId: "historian", timestamp: "2024-05-01T10:00:00Z" });
    expect((await sendLines(old)).body).toMatchObject({ accepted: 1 });
    const other = await sendLines({ ...old, timestamp: "2024-06-01T10:00:00Z" }, { ...old, type: "view" });
    expect([other.status, other.body.report]).toMatchObject([
      422,
      {
        errors: [
          { line: 1, message: expect.stringContaining("timestamp") },
          { line: 2, path: "eventId" },
        ],
      },
    ]);
    expect((await sendLines(old)).body).toMatchObject({ accepted: 0, duplicates: 1, rejected: 0 });
  });

  it("E3: is reported by line, with the reason, also where all lines are refused", async () => {
    const { status, body } = await sendLines(event("l1"), "", event("l3", { timestamp: at(600) }), "{");
    expect([status, body]).toMatchObject([
      200,
      {
        received: 3,
        accepted: 1,
        rejected: 2,
        errors: [
          { line: 3, code: "timestamp_out_of_window", path: "timestamp" },
          { line: 4, code: "invalid_input", message: expect.stringContaining("not JSON") },
        ],
      },
    ]);
    const none = await sendLines(event("l4", { timestamp: at(600) }));
    expect(none.status).toBe(422);
    expect(none.body.errors).toMatchObject([{ path: "lines.1.timestamp", code: "timestamp_out_of_window" }]);
  });
});

describe("what people have", () => {
  const event = { eventId: "have-1", userId: "haver", type: "view", productId: "p" };
  const gzip = async (text: string) =>
    new Uint8Array(
      await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer(),
    );

  it("E4, E9: times have any offset, and null means absent", async () => {
    const offset = new Date(Date.now() + 5.5 * 3_600_000 - 60_000).toISOString().replace("Z", "+05:30");
    const body = { events: [{ ...event, timestamp: offset, recommendationId: null, location: null }] };
    expect(await stack.call("POST", "/v1/events", { body })).toMatchObject({
      status: 202,
      body: { accepted: 1 },
    });
    const moved = await stack.call("PUT", "/v1/users/haver/location", {
      body: { ...oslo, timestamp: offset },
    });
    expect(moved.status).toBe(200);
    const list = await stack.call<RecommendationAnswer>("POST", "/v1/recommendations", {
      body: { userId: "haver", location: null, filter: null, exclude: null, limit: null, caps: null },
    });
    expect(list.status).toBe(200);
    const product = { title: "Null", category: null, discount: null, available: null, attributes: null };
    expect(await stack.call("PUT", "/v1/products/null", { body: product })).toMatchObject({
      status: 201,
      body: { category: "unknown", discount: 0, available: true, attributes: {} },
    });
    await stack.call("PATCH", "/v1/products/null", {
      body: { discount: 0.5, available: false, category: "c" },
    });
    const reset = { discount: null, available: null, category: null };
    expect(await stack.call("PATCH", "/v1/products/null", { body: reset })).toMatchObject({
      status: 200,
      body: { discount: 0, available: true, category: "unknown" },
    });
  });

  it("E5, E6: bodies are UTF-8, plain or gzip, also in bulk", async () => {
    const lines = Array.from({ length: 200 }, (_, i) => JSON.stringify({ ...event, eventId: `gz-${i}` }));
    const headers = { "content-type": "application/x-ndjson", "content-encoding": "gzip" };
    const bulk = await stack.call("POST", "/v1/events/bulk", { body: await gzip(lines.join("\n")), headers });
    expect(bulk).toMatchObject({ status: 200, body: { accepted: 200 } });
    const files = await Promise.all(
      ["a", "b"].map((id) => gzip(`${JSON.stringify({ ...event, eventId: id })}\n`)),
    );
    const body = new Uint8Array(files.flatMap((file) => [...file]));
    const concatenated = await stack.call("POST", "/v1/events/bulk", { body, headers });
    expect(concatenated).toMatchObject({ status: 200, body: { received: 2, accepted: 2 } });
    const latin1 = Uint8Array.from('{"title":"Caf\u00e9"}', (c) => c.charCodeAt(0));
    const put = await stack.call("PUT", "/v1/products/cafe", {
      body: latin1,
      headers: { "content-type": "application/json" },
    });
    expect(put).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining("0xE9 at offset 13") },
    });
  });

  it("E5: half of a surrogate pair is refused in every body, and named", async () => {
    const headers = { "content-type": "application/json" };
    for (const [path, body, field] of [
      ["/v1/products/half", '{"title":"a\\ud800b"}', "title"],
      ["/v1/products/half", '{"title":"T","attributes":{"a":"\\udfff"}}', "attributes.a"],
      ["/v1/users/half", '{"attributes":{"a":["\\ud83d"]}}', "attributes.a.0"],
    ])
      expect(await stack.call("PUT", path, { body, headers })).toMatchObject({
        status: 400,
        body: { errors: [{ path: field, message: expect.stringContaining("well-formed Unicode") }] },
      });
    const bulk = await stack.call("POST", "/v1/products/bulk", {
      body: '{"id":"half","title":"\\ud83c\\udf5e"}\n{"id":"half","title":"\\ud83c"}',
      headers: { "content-type": "application/x-ndjson" },
    });
    expect(bulk.body).toMatchObject({ accepted: 1, errors: [{ line: 2, path: "title" }] });
    expect((await vicinity.products.get("half")).title).toBe("🍞");
  });

  it("E10: attributes may be lists of texts", async () => {
    const attributes = { colors: ["red", "blue"], size: "M" };
    await stack.call("PUT", "/v1/products/lists", { body: { title: "Lists", attributes } });
    expect((await vicinity.products.get("lists")).attributes).toEqual(attributes);
    await stack.call("PUT", "/v1/users/haver", { body: { attributes } });
    expect((await vicinity.users.get("haver")).attributes).toEqual(attributes);
  });

  it("E11: a beacon records events by a token in its body, and no log has the token", async () => {
    const { token } = await vicinity.issueToken("haver");
    const page = new Vicinity({ url: stack.url, credential: token });
    const [url, text] = page.eventBeacon([{ ...event, type: "click", eventId: "beacon-1" }]);
    const answer = await fetch(url, {
      method: "POST",
      headers: { "content-type": "text/plain;charset=UTF-8", origin: new URL(stack.url).origin },
      body: text,
    });
    expect([answer.status, await answer.json()]).toMatchObject([202, { accepted: 1 }]);
    expect(stack.logLines().filter((line) => line.includes(token))).toEqual([]);
  });
});
