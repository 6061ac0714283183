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
import { ndjsonHeaders, toNdjson } from "./ndjson.ts";
import { pollUntil } from "./polling.ts";
import { generateProducts, oslo } from "./products.ts";
import { TestStack } from "./test-stack.ts";

const stack = new TestStack();
const around = `/v1/locations/nearby?lat=${oslo.lat}&lon=${oslo.lon}`;

/** A picture of one pixel. */
const pixel = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

const makeKey = async (application: string, role: string): Promise<string> =>
  (await stack.call<CreatedKey>("POST", "/v1/keys", { body: { application, role } })).body.key;

beforeAll(async () => {
  await stack.start();
  const body = toNdjson(generateProducts("oslo", oslo, 20));
  const loaded = await stack.call<BulkReport>("POST", "/v1/products/bulk", { body, headers: ndjsonHeaders });
  expect(loaded.body).toMatchObject({ accepted: 20, rejected: 0 });
  await pollUntil(
    () => stack.call<NearbyAnswer>("GET", around),
    (answer) => answer.body.items.length === 20,
  );
});
afterAll(() => stack.stop());

describe("bad input", () => {
  it("in a body, a query, a path or a line is a problem or a counted rejection, never an error of ours", async () => {
    const answers = [
      await stack.call("POST", "/v1/recommendations", { body: { userId: "a b" } }),
      await stack.call("POST", "/v1/recommendations", {
        body: { userId: "a", location: { lat: 91, lon: 0 } },
      }),
      await stack.call("POST", "/v1/recommendations", {
        body: '{"userId":',
        headers: { "content-type": "application/json" },
      }),
      await stack.call("GET", `${around}&limit=many`),
      await stack.call("GET", `${around}&colour=blue`),
      await stack.call("GET", "/v1/users/%E0%A4%A"),
      await stack.call("POST", "/v1/events", { body: { events: [{ eventId: "x" }] } }),
      await stack.call("POST", "/v1/products/bulk", { body: "\n\n", headers: ndjsonHeaders }),
      await stack.call("PUT", "/v1/users/ann/location", { body: { lat: "north", lon: 0 } }),
    ];
    for (const { status, body } of answers) {
      expect(status, JSON.stringify(body)).toBe(400);
      expect(body).toMatchObject({ status: 400, code: "invalid_input", requestId: expect.any(String) });
    }
    const noPage = await stack.call("GET", "/v1/products?cursor=nonsense");
    expect(noPage).toMatchObject({ status: 404, body: { code: "not_found" } });
    const mixed = await stack.call<BulkReport>("POST", "/v1/products/bulk", {
      body: ['{"id":"good","title":"Good"}', '{"id":"bad","price":-1}', "{"].join("\n"),
      headers: ndjsonHeaders,
    });
    expect(mixed.body).toMatchObject({ received: 3, accepted: 1, rejected: 2 });
    expect((await stack.call("GET", "/v1/products/good")).status).toBe(200);
  });

  it("in a queue keeps no other message from being handled", async () => {
    for (const [worker, name] of [
      ["product", "CATALOGUE"],
      ["recommendation", "INTERACTIONS"],
      ["recommendation", "LOCATIONS"],
    ]) {
      const queue = await stack.binding(worker, name);
      await queue.send({ application: "demo", nonsense: true });
      await queue.send("nonsense");
    }
    const event = { eventId: "after", userId: "patient", type: "purchase", productId: "oslo-3" };
    expect((await stack.call("POST", "/v1/events", { body: { events: [event] } })).status).toBe(202);
    await stack.call("PATCH", "/v1/products/oslo-3", { body: { price: 3.33 } });
    const counted = await pollUntil(
      () => stack.call<ProductWithTotals>("GET", "/v1/products/oslo-3"),
      ({ body }) => body.totals.purchase === 1,
    );
    expect(counted.body.totals.purchase).toBe(1);
    const placed = await pollUntil(
      () => stack.call<NearbyAnswer>("GET", around),
      ({ body }) => body.items.some(({ price }) => price === 3.33),
    );
    expect(placed.body.items.find(({ productId }) => productId === "oslo-3")?.price).toBe(3.33);
  });
});

describe("events", () => {
  it("on products that nobody knows are kept, with a warning; one bad event keeps out no other", async () => {
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
    expect(body.warnings).toEqual([{ index: 2, code: "unknown_product" }]);
    const { body: history } = await pollUntil(
      () => stack.call<Page<UserInteraction>>("GET", "/v1/users/early/interactions"),
      (answer) => answer.body?.items?.length === 2,
    );
    expect(history.items.map(({ eventId }) => eventId).sort()).toEqual(["e1", "e3"]);
  });
});

describe("pictures", () => {
  it("are stored by content, led to by number, and public", async () => {
    const path = "/v1/products/oslo-2/images/0";
    const put = await stack.call("PUT", path, {
      body: new Uint8Array(pixel),
      headers: { "content-type": "image/png" },
    });
    expect(put.status, JSON.stringify(put.body)).toBe(200);
    const redirect = await stack.call("GET", path);
    expect(redirect.status).toBe(302);
    const image = await stack.call("GET", redirect.headers.get("location") ?? "", { key: "" });
    expect(image.status).toBe(200);
    expect(image.headers.get("content-type")).toBe("image/png");
    expect(image.headers.get("cache-control")).toContain("immutable");
    const text = await stack.call("PUT", path, {
      body: "no picture",
      headers: { "content-type": "image/png" },
    });
    expect(text.status).toBe(415);
  });
});

describe("applications", () => {
  it("see nothing of each other", async () => {
    const admin = await makeKey("other", "admin");
    const client = await makeKey("other", "client");
    const as = <T>(key: string, method: string, path: string, body?: unknown) =>
      stack.call<T>(method, path, { key, body });
    expect((await as<Page<unknown>>(admin, "GET", "/v1/products")).body.items).toEqual([]);
    expect((await as(admin, "GET", "/v1/products/oslo-1")).status).toBe(404);
    expect((await as<NearbyAnswer>(client, "GET", around)).body.items).toEqual([]);
    const alien = await as<RecommendationAnswer>(client, "POST", "/v1/recommendations", {
      userId: "patient",
      location: oslo,
    });
    expect(alien.body.items).toEqual([]);
    const mine = await stack.call<RecommendationAnswer>("POST", "/v1/recommendations", {
      body: { userId: "patient", location: oslo },
    });
    expect(mine.body.items.length).toBeGreaterThan(0);
    const receipt = `/v1/recommendations/${mine.body.recommendationId}`;
    expect((await stack.call("GET", receipt)).status).toBe(200);
    expect((await as(admin, "GET", receipt)).status).toBe(404);
    const history = await as<Page<unknown>>(admin, "GET", "/v1/users/patient/interactions");
    expect(history.body.items ?? []).toEqual([]);
  });
});

describe("a live connection", () => {
  it("hears fresh recommendations when its person moves", async () => {
    const { body } = await stack.call<{ token: string }>("POST", "/v1/tokens", { body: { userId: "mover" } });
    const url = `${stack.url.replace(/^http/, "ws")}v1/users/mover/live`;
    const socket = new WebSocket(url, ["vicinity", body.token]);
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve);
      socket.addEventListener("error", reject);
    });
    const heard = new Promise<RecommendationAnswer>((resolve) => {
      socket.addEventListener("message", ({ data }) => resolve(JSON.parse(String(data))));
    });
    const moved = await stack.call("PUT", "/v1/users/mover/location", { key: body.token, body: oslo });
    expect(moved.status).toBe(200);
    expect((await heard).items.length).toBeGreaterThan(0);
    socket.close();
  });

  it("is one of eight of its person: a ninth is told to come later", async () => {
    const handshake = {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      "sec-websocket-protocol": "vicinity, dev-client-key",
    };
    const sockets: Duplex[] = [];
    const open = () =>
      new Promise<IncomingMessage>((resolve, reject) => {
        const asked = request(`${stack.url}v1/users/popular/live`, { headers: handshake });
        asked.on("upgrade", (answer, socket) => {
          sockets.push(socket);
          resolve(answer);
        });
        asked.on("response", (answer) => {
          answer.resume();
          resolve(answer);
        });
        asked.on("error", reject);
        asked.end();
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

describe("what is yet to come", () => {
  it("is no place of a person and no event, live or of history: it would be the newest for as long as it is", async () => {
    const timestamp = new Date(Date.now() + 3_600_000).toISOString();
    const place = await stack.call("PUT", "/v1/users/early/location", { body: { ...oslo, timestamp } });
    expect(place.status).toBe(400);
    expect(place.body).toMatchObject({ errors: [{ path: "timestamp" }] });
    const event = { eventId: "early", userId: "early", type: "view", productId: "p", timestamp };
    const live = await stack.call("POST", "/v1/events", { body: { events: [event] } });
    expect(live.body).toMatchObject({ rejected: [{ error: { code: "timestamp_out_of_window" } }] });
    const bulk = await stack.call<BulkReport>("POST", "/v1/events/bulk", {
      body: JSON.stringify(event),
      headers: ndjsonHeaders,
    });
    expect(bulk.body).toMatchObject({ received: 1, accepted: 0, rejected: 1 });
  });
});

describe("what goes wrong inside", () => {
  it("is logged and answered without whom it was about, or what they did", async () => {
    const names = ["person-of-the-failure", "event-of-the-failure", "37.1234567"];
    const [userId, eventId] = names;
    const place = { lat: 37.1234567, lon: -3.7654321 };
    await stack.call("PUT", `/v1/users/${userId}`, { body: { home: place } });
    const database: D1Database = await stack.binding("user", "DB");
    const rename = (from: string, to: string) =>
      database.prepare(`ALTER TABLE ${from} RENAME TO ${to}`).run();
    const before = stack.logLines().length;
    const tables = ["users", "interactions", "user_locations"];
    for (const table of tables) await rename(table, `${table}_away`);
    try {
      const event = { eventId, userId, type: "view", productId: "oslo-3", location: place };
      const answers = [
        await stack.call("GET", `/v1/users/${userId}`),
        await stack.call("PUT", `/v1/users/${userId}`, { body: { home: place } }),
        await stack.call("GET", `/v1/users/${userId}/interactions`),
        await stack.call("PUT", `/v1/users/${userId}/location`, { body: place }),
        await stack.call("POST", "/v1/events", { body: { events: [event] } }),
        await stack.call("POST", "/v1/events/bulk", { body: JSON.stringify(event), headers: ndjsonHeaders }),
        await stack.call("DELETE", `/v1/users/${userId}`),
      ];
      expect(answers.map(({ status }) => status)).toEqual([500, 500, 500, 200, 202, 503, 202]);
      for (const { status, body } of answers)
        if (status >= 500) expect(JSON.stringify(body)).not.toMatch(/users|interactions|SQL|D1|query/);
      const told = await pollUntil(
        async () => stack.logLines().slice(before),
        (log) =>
          [
            /delivery failed.*vicinity-interactions/,
            /delivery failed.*vicinity-locations/,
            /erasure failed/,
          ].every((failure) => log.some((line) => failure.test(line))),
      );
      expect(told.filter((line) => names.some((name) => line.includes(name)))).toEqual([]);
    } finally {
      for (const table of tables) await rename(`${table}_away`, table);
    }
  });
});
