import { type IncomingMessage, request } from "node:http";
import type { Duplex } from "node:stream";
import type { D1Database } from "@cloudflare/workers-types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CreatedKey } from "../shared/contracts/credential.ts";
import type { EventReceipt } from "../shared/contracts/event.ts";
import type { NearbyAnswer } from "../shared/contracts/location.ts";
import type { Page } from "../shared/contracts/page.ts";
import type { BulkReport, ProductWithTotals } from "../shared/contracts/product.ts";
import type { RecommendationAnswer } from "../shared/contracts/recommendation.ts";
import type { UserInteraction } from "../shared/contracts/user.ts";
import { startWithProducts } from "./support/import-products.ts";
import { ndjsonHeaders } from "./support/ndjson.ts";
import { pollUntil } from "./support/polling.ts";
import { generateProducts, onePixelPng, oslo } from "./support/products.ts";
import { TestStack } from "./support/test-stack.ts";

const stack = new TestStack();
const nearbyPath = `/v1/locations/nearby?lat=${oslo.lat}&lon=${oslo.lon}`;

const createKey = async (application: string, role: string): Promise<string> =>
  (await stack.call<CreatedKey>("POST", "/v1/keys", { body: { application, role } })).body.key;

beforeAll(() => startWithProducts(stack, oslo, generateProducts("oslo", oslo, 20)));
afterAll(() => stack.stop());

describe("invalid input", () => {
  it("gets a 400 problem, or counts as a rejected line, and never causes a server error", async () => {
    const answers = [
      await stack.call("POST", "/v1/recommendations", { body: { userId: " a" } }),
      await stack.call("POST", "/v1/recommendations", {
        body: { userId: "a", location: { lat: 91, lon: 0 } },
      }),
      await stack.call("POST", "/v1/recommendations", {
        body: '{"userId":',
        headers: { "content-type": "application/json" },
      }),
      await stack.call("GET", `${nearbyPath}&limit=many`),
      await stack.call("GET", `${nearbyPath}&color=blue`),
      await stack.call("GET", "/v1/users/%E0%A4%A"),
      await stack.call("POST", "/v1/products/bulk", { body: "\n\n", headers: ndjsonHeaders }),
      await stack.call("PUT", "/v1/users/ann/location", { body: { lat: "north", lon: 0 } }),
    ];
    for (const { status, body } of answers) {
      expect(status, JSON.stringify(body)).toBe(400);
      expect(body).toMatchObject({ status: 400, code: "invalid_input", requestId: expect.any(String) });
    }
    const unknownCursor = await stack.call("GET", "/v1/products?cursor=nonsense");
    expect(unknownCursor).toMatchObject({ status: 404, body: { code: "not_found" } });
    const mixed = await stack.call<BulkReport>("POST", "/v1/products/bulk", {
      body: ['{"id":"good","title":"Good"}', '{"id":"bad","price":-1}', "{"].join("\n"),
      headers: ndjsonHeaders,
    });
    expect(mixed.body).toMatchObject({ received: 3, accepted: 1, rejected: 2 });
    expect((await stack.call("GET", "/v1/products/good")).status).toBe(200);
  });

  it("in a queue does not block other messages", async () => {
    for (const [worker, name] of [
      ["product", "CATALOGUE"],
      ["recommendation", "INTERACTIONS"],
      ["recommendation", "LOCATIONS"],
    ]) {
      const queue = await stack.binding(worker, name);
      await queue.send({ application: "demo", nonsense: true });
      await queue.send("nonsense");
    }
    const event = { eventId: "after", userId: "buyer", type: "purchase", productId: "oslo-3" };
    expect((await stack.call("POST", "/v1/events", { body: { events: [event] } })).status).toBe(202);
    await stack.call("PATCH", "/v1/products/oslo-3", { body: { price: 3.33 } });
    const counted = await pollUntil(
      () => stack.call<ProductWithTotals>("GET", "/v1/products/oslo-3"),
      ({ body }) => body.totals.purchase === 1,
    );
    expect(counted.body.totals.purchase).toBe(1);
    const placed = await pollUntil(
      () => stack.call<NearbyAnswer>("GET", nearbyPath),
      ({ body }) => body.items.some(({ price }) => price === 3.33),
    );
    expect(placed.body.items.find(({ productId }) => productId === "oslo-3")?.price).toBe(3.33);
  });
});

describe("POST /v1/events", () => {
  it("stores events of unknown products with a warning, and stores the valid events of a batch with an invalid one", async () => {
    const event = (eventId: string, productId: string) => ({
      eventId,
      userId: "early",
      type: "view",
      productId,
    });
    const { status, body } = await stack.call<EventReceipt>("POST", "/v1/events", {
      body: {
        events: [event("e1", "oslo-1"), { ...event("e2", "oslo-1"), type: "stare" }, event("e3", "not-yet")],
      },
    });
    expect(status).toBe(202);
    expect(body).toMatchObject({ accepted: 2, rejected: [{ index: 1 }] });
    expect(body.warnings).toMatchObject([{ index: 2, code: "unknown_product" }]);
    const { body: history } = await pollUntil(
      () => stack.call<Page<UserInteraction>>("GET", "/v1/users/early/interactions"),
      (answer) => answer.body?.items?.length === 2,
    );
    expect(history.items.map(({ eventId }) => eventId).sort()).toEqual(["e1", "e3"]);
  });
});

describe("product images", () => {
  it("S15: are redirected from their number to a public URL, until they are deleted", async () => {
    const path = "/v1/products/oslo-2/images/0";
    const put = await stack.call("PUT", path, {
      body: new Uint8Array(onePixelPng),
      headers: { "content-type": "image/png" },
    });
    expect(put.status, JSON.stringify(put.body)).toBe(200);
    const redirect = await stack.call("GET", path);
    expect(redirect.status).toBe(302);
    const image = await stack.call("GET", redirect.headers.get("location") ?? "", { key: "" });
    expect(image.status).toBe(200);
    expect(image.headers.get("content-type")).toBe("image/png");
    expect(image.headers.get("cache-control")).toBe("public, max-age=300");
    const text = await stack.call("PUT", path, {
      body: "not an image",
      headers: { "content-type": "image/png" },
    });
    expect(text.status).toBe(415);
    expect((await stack.call("DELETE", path)).status).toBe(204);
    const location = redirect.headers.get("location") ?? "";
    const headers = { "if-none-match": image.headers.get("etag") ?? "" };
    expect((await stack.call("GET", location, { key: "" })).status).toBe(404);
    expect((await stack.call("GET", location, { key: "", headers })).status).toBe(404);
  });
});

describe("applications", () => {
  it("cannot read each other's data", async () => {
    const admin = await createKey("other", "admin");
    const client = await createKey("other", "server");
    const callWith = <T>(key: string, method: string, path: string, body?: unknown) =>
      stack.call<T>(method, path, { key, body });
    expect((await callWith<Page<unknown>>(admin, "GET", "/v1/products")).body.items).toEqual([]);
    expect((await callWith(admin, "GET", "/v1/products/oslo-1")).status).toBe(404);
    expect((await callWith<NearbyAnswer>(client, "GET", nearbyPath)).body.items).toEqual([]);
    const foreign = await callWith<RecommendationAnswer>(client, "POST", "/v1/recommendations", {
      userId: "buyer",
      location: oslo,
    });
    expect(foreign.body.items).toEqual([]);
    const own = await stack.call<RecommendationAnswer>("POST", "/v1/recommendations", {
      body: { userId: "buyer", location: oslo },
    });
    expect(own.body.items.length).toBeGreaterThan(0);
    const receiptPath = `/v1/recommendations/${own.body.recommendationId}`;
    expect((await stack.call("GET", receiptPath)).status).toBe(200);
    expect((await callWith(admin, "GET", receiptPath)).status).toBe(404);
    const history = await callWith<Page<unknown>>(admin, "GET", "/v1/users/buyer/interactions");
    expect(history.body.items ?? []).toEqual([]);
  });
});

describe("live connection", () => {
  it("receives new recommendations when the location of its user changes", async () => {
    const { body } = await stack.call<{ token: string }>("POST", "/v1/tokens", { body: { userId: "mover" } });
    const url = `${stack.url.replace(/^http/, "ws")}v1/users/mover/live`;
    const socket = new WebSocket(url, ["vicinity", body.token]);
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve);
      socket.addEventListener("error", reject);
    });
    const firstMessage = new Promise<RecommendationAnswer>((resolve) => {
      socket.addEventListener("message", ({ data }) => resolve(JSON.parse(String(data))));
    });
    const moved = await stack.call("PUT", "/v1/users/mover/location", { key: body.token, body: oslo });
    expect(moved.status).toBe(200);
    expect((await firstMessage).items.length).toBeGreaterThan(0);
    socket.close();
  });

  it("is refused with 429 and Retry-After when the user has eight of them", async () => {
    const handshake = {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      "sec-websocket-protocol": "vicinity, dev-server-key",
    };
    const sockets: Duplex[] = [];
    const open = () =>
      new Promise<IncomingMessage>((resolve, reject) => {
        const clientRequest = request(`${stack.url}v1/users/popular/live`, { headers: handshake });
        clientRequest.on("upgrade", (answer, socket) => {
          sockets.push(socket);
          resolve(answer);
        });
        clientRequest.on("response", (answer) => {
          answer.resume();
          resolve(answer);
        });
        clientRequest.on("error", reject);
        clientRequest.end();
      });
    try {
      for (let i = 0; i < 8; i++) expect((await open()).statusCode).toBe(101);
      const { statusCode, headers } = await open();
      expect([statusCode, headers["retry-after"]]).toEqual([429, "60"]);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });
});

describe("a timestamp in the future", () => {
  it("is invalid for locations, events and imported events, since it would stay the newest", async () => {
    const timestamp = new Date(Date.now() + 3_600_000).toISOString();
    const response = await stack.call("PUT", "/v1/users/early/location", { body: { ...oslo, timestamp } });
    expect(response.status).toBe(400);
    expect(response.body).toMatchObject({ errors: [{ path: "timestamp" }] });
    const event = { eventId: "early", userId: "early", type: "view", productId: "p", timestamp };
    const live = await stack.call("POST", "/v1/events", { body: { events: [event] } });
    expect(live.body).toMatchObject({ status: 422, errors: [{ code: "timestamp_out_of_window" }] });
    const bulk = await stack.call<BulkReport>("POST", "/v1/events/bulk", {
      body: JSON.stringify(event),
      headers: ndjsonHeaders,
    });
    expect(bulk.body).toMatchObject({ status: 422, report: { received: 1, accepted: 0, rejected: 1 } });
  });
});

describe("an internal error", () => {
  it("is logged and answered without the user id, the event id or the location", async () => {
    const personalTexts = ["user-of-the-failure", "event-of-the-failure", "37.1234567"];
    const [userId, eventId] = personalTexts;
    const location = { lat: 37.1234567, lon: -3.7654321 };
    await stack.call("PUT", `/v1/users/${userId}`, { body: { home: location } });
    const database: D1Database = await stack.binding("user", "DB");
    const rename = (from: string, to: string) =>
      database.prepare(`ALTER TABLE ${from} RENAME TO ${to}`).run();
    const before = stack.logLines().length;
    const tables = ["users", "interactions", "user_locations"];
    for (const table of tables) await rename(table, `${table}_renamed`);
    try {
      const event = { eventId, userId, type: "view", productId: "oslo-3", location };
      const answers = [
        await stack.call("GET", `/v1/users/${userId}`),
        await stack.call("PUT", `/v1/users/${userId}`, { body: { home: location } }),
        await stack.call("GET", `/v1/users/${userId}/interactions`),
        await stack.call("PUT", `/v1/users/${userId}/location`, { body: location }),
        await stack.call("POST", "/v1/events", { body: { events: [event] } }),
        await stack.call("POST", "/v1/events/bulk", { body: JSON.stringify(event), headers: ndjsonHeaders }),
        await stack.call("DELETE", `/v1/users/${userId}`),
      ];
      expect(answers.map(({ status }) => status)).toEqual([500, 500, 500, 200, 202, 503, 202]);
      for (const { status, body } of answers)
        if (status >= 500) expect(JSON.stringify(body)).not.toMatch(/users|interactions|SQL|D1|query/);
      const newLines = await pollUntil(
        async () => stack.logLines().slice(before),
        (log) =>
          [
            /delivery failed.*vicinity-interactions/,
            /delivery failed.*vicinity-locations/,
            /erasure failed/,
          ].every((failure) => log.some((line) => failure.test(line))),
      );
      expect(newLines.filter((line) => personalTexts.some((text) => line.includes(text)))).toEqual([]);
    } finally {
      for (const table of tables) await rename(`${table}_renamed`, table);
    }
  });
});
