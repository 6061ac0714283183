/// <reference types="@cloudflare/vitest-plugin/types" />
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { shareOf } from "../../shared/async/applications-share.ts";
import type { CallReport } from "../../shared/testing/platform/call-counter.ts";
import { nightlyCron, nightlyShares } from "../../workers/gateway/scheduled/nightly.ts";
import { cardKey } from "../../workers/product/card-cache.ts";
import { AllWorkers, bindings, counter, createdInstances } from "./all-workers.ts";

/** Whether the long form runs, with as much as a request may hold. */
const isLong = (bindings as { LONG?: boolean }).LONG === true;
const lineCount = isLong ? 1000 : 120;
const oslo = { lat: 59.91, lon: 10.75 };
const workers = new AllWorkers();

beforeAll(async () => {
  await AllWorkers.prepare();
  const lines = Array.from({ length: 40 }, (_, i) => ({
    id: `p${i}`,
    title: `Product ${i}`,
    category: "books",
    price: 4,
    currency: "EUR",
    location: { lat: oslo.lat + i / 1000, lon: oslo.lon },
  }));
  const { status, background } = await workers.call("POST", "/v1/products/bulk", { lines });
  expect(status).toBe(200);
  await background();
  await workers.deliver("vicinity-catalogue");
});
afterEach(() => {
  vi.restoreAllMocks();
  expect(counter.exceeded).toEqual([]);
  counter.reset();
});

/** Returns the most worker invocations and calls of any of the requests. */
const most = (reports: readonly CallReport[]) => ({
  invocations: Math.max(...reports.map((report) => report.invocations)),
  subrequests: Math.max(...reports.map((report) => report.subrequests)),
});

describe("a request of a warm isolate", () => {
  const userId = "warm";
  const recommend = async (cursor?: unknown) =>
    workers.call("POST", "/v1/recommendations", {
      key: "dev-server-key",
      body: { userId, location: oslo, limit: 5, cursor },
    });
  let events = 0;
  const send = async () => {
    const event = { eventId: `e${events++}`, userId, type: "view", productId: "p1", location: oslo };
    return workers.call("POST", "/v1/events", { key: "dev-server-key", body: { events: [event] } });
  };

  it("reads no database, and waits for at most three calls one after another", async () => {
    const cold = await recommend();
    expect(cold.status).toBe(200);
    await cold.background();
    const first = await send();
    expect(first.status).toBe(202);
    // A new isolate reads the registry of models and the city, tiles and cells, and the facts of the product.
    expect(cold.report.callsInTurn).toBeLessThanOrEqual(5);
    expect(first.report.callsInTurn).toBeLessThanOrEqual(6);
    await first.background();
    // The cells publish their tiles by alarms.
    await vi.waitFor(
      async () => {
        const { body, background } = await recommend();
        await background();
        expect(z.object({ items: z.array(z.unknown()) }).parse(body).items).toHaveLength(5);
      },
      { timeout: 20_000, interval: 500 },
    );
    const listed = await recommend();
    await listed.background();
    const { next } = z.object({ next: z.string() }).parse(listed.body);
    await (await recommend(next)).background();
    // A database that never answers holds up nobody. Five seconds later, isolates read registry and keys again.
    counter.hold = (call) => (/_DB\./.test(call) ? new Promise(() => undefined) : null);
    const [answer, page, sent] = [await recommend(), await recommend(next), await send()];
    expect([answer.status, page.status, sent.status]).toEqual([200, 200, 202]);
    // The cards of the page before are in memory.
    expect(page.report.callsInTurn).toBeLessThanOrEqual(3);
    expect(answer.report.callsInTurn).toBeLessThanOrEqual(3);
    expect(sent.report.callsInTurn).toBeLessThanOrEqual(3);
    expect(answer.report.calls.slice(0, 3)).toEqual([
      "gateway recommendation.recommend",
      "recommendation USER_SESSION.encodedProfileFor",
      "recommendation location.gatherCandidates",
    ]);
    // The impression of the answer before is stored in the same turn as the event.
    expect(sent.report.calls.filter((call) => !call.includes("recordImpressions")).slice(0, 2)).toEqual([
      "gateway recommendation.ingestEvents",
      "recommendation USER_SESSION.ingest",
    ]);
  });
});

describe("a request with many users", () => {
  /** Returns events of as many users, each with a product and a place of their own. */
  const eventsOf = (count: number, prefix: string) =>
    Array.from({ length: count }, (_, i) => ({
      eventId: `${prefix}${i}`,
      userId: `${prefix}${i}`,
      type: "view" as const,
      productId: `${prefix}${i}`,
      location: { lat: oslo.lat + (i % 40) / 1000, lon: oslo.lon },
    }));
  const allowCity = (users: readonly { userId: string }[]) =>
    Promise.all(
      users.map(async ({ userId }) => {
        const { status, background } = await workers.call("PUT", `/v1/users/${userId}`, {
          body: { consent: { location: "city" } },
        });
        expect(status).toBeLessThan(300);
        await background();
      }),
    );

  it("stays below both limits: lists for 100 users in one batch, some of whom have locations at their city", async () => {
    const users = eventsOf(30, "mail");
    await allowCity(users);
    const sent = await workers.call("POST", "/v1/events", { body: { events: users } });
    expect(sent.status).toBe(202);
    await sent.background();
    const userIds = [
      ...users.map(({ userId }) => userId),
      ...eventsOf(70, "new").map(({ userId }) => userId),
    ];
    const { status, body, report, background } = await workers.call("POST", "/v1/recommendations/batch", {
      body: {
        ...{ userIds, limit: 20, filter: { priceMax: 100, expression: "product.price < 90.0" } },
        pins: [{ productId: "p7", position: 2 }],
      },
    });
    expect(status).toBe(200);
    await background();
    const items = z.object({ items: z.array(z.object({ recommendation: z.unknown() })) }).parse(body).items;
    expect(items.filter(({ recommendation }) => recommendation !== undefined)).toHaveLength(100);

    // The gateway, the worker, and joined calls.
    expect(report.invocations).toBeLessThanOrEqual(24);
    expect(report.subrequests).toBeLessThanOrEqual(400);
  });

  it("stays below both limits: 100 live events of users who allow the city only", async () => {
    const events = eventsOf(100, "live");
    await allowCity(events);
    const { status, body, report, background } = await workers.call("POST", "/v1/events", {
      body: { events },
    });
    expect(status).toBe(202);
    expect(body).toMatchObject({ accepted: 100 });
    // The location service is asked once for all locations. Their objects are called again with the right precision.
    expect(report.calls.filter((call) => call.includes("location.coarsen"))).toHaveLength(1);
    expect(report.invocations).toBeLessThanOrEqual(5);
    await background();
    const delivered = await workers.deliver("vicinity-interactions");
    expect(most(delivered).invocations).toBeLessThanOrEqual(10);
  });

  it(`stays below both limits: ${lineCount} lines of history of as many users`, async () => {
    const timestamp = new Date(Date.now() - 30 * 86_400_000).toISOString();
    const lines = eventsOf(lineCount, "past").map((event) => ({ ...event, timestamp }));
    const { status, body, report, background } = await workers.call("POST", "/v1/events/bulk", { lines });
    expect([status, body]).toEqual([200, expect.objectContaining({ accepted: lineCount, rejected: 0 })]);
    expect(report.invocations).toBeLessThanOrEqual(1 + 15 * Math.ceil(lineCount / 500));
    const objects = report.calls.filter((call) => call.includes("USER_SESSION.ingest"));
    expect(objects).toHaveLength(lineCount);
    await background();
  });
});

describe("a batch of a queue", () => {
  it("stays below both limits with as many users as a batch can hold", async () => {
    const requests = isLong ? 12 : 2;
    for (let i = 0; i < requests; i++) {
      const events = Array.from({ length: 100 }, (_, k) => ({
        ...{ eventId: `b${i}-${k}`, userId: `batch${i}-${k}`, type: "view", productId: `p${k % 40}` },
      }));
      const { status, background } = await workers.call("POST", "/v1/events", { body: { events } });
      expect(status).toBe(202);
      await background();
    }
    const reports = await workers.deliver("vicinity-interactions");
    if (isLong) expect(most(reports).subrequests).toBeGreaterThan(700);
    const confirmed = reports.flatMap(({ calls }) => calls.filter((call) => call.includes("confirmRows")));
    expect(confirmed).toHaveLength(100 * requests);
  });

  it("stays below both limits with full messages of changed products that all have cards in KV", async () => {
    const lines = Array.from({ length: isLong ? 5000 : 1000 }, (_, i) => ({
      ...{
        id: `many${i}`,
        title: `Many ${i}`,
        category: "books",
        location: { ...oslo, lat: 59.1 + i / 3000 },
      },
    }));
    await Promise.all(lines.map(({ id }) => bindings.CARDS.put(cardKey("demo", id), "{}")));
    const { status, report, background } = await workers.call("POST", "/v1/products/bulk", { lines });
    expect([status, report.invocations]).toEqual([200, 1 + lines.length / 500]);
    await background();
    const reports = await workers.deliver("vicinity-catalogue");
    const writes = reports.flatMap(({ calls }) => calls.filter((call) => /CARDS\.put/.test(call)));
    expect(writes).toHaveLength(lines.length);
    expect(reports).toHaveLength(Math.ceil(lines.length / 750));
  });
});

describe("a cron trigger", () => {
  it("stays below both limits each minute and each night, however many applications there are", async () => {
    // The models of these applications have no file, and the runs log what they removed.
    for (const method of ["error", "log"] as const) vi.spyOn(console, method).mockReturnValue();
    const today = new Date().toISOString().slice(0, 10);
    const names = Array.from({ length: isLong ? 1200 : 120 }, (_, i) => `shop-${i}`);
    for (let i = 0; i < names.length; i += 50)
      await Promise.all(
        names.slice(i, i + 50).map((name) => bindings.TRAINING_LOG.put(`${name}/log/v1/${today}/0/x`, "x")),
      );
    await bindings.RECOMMENDATION_DB.batch(
      names.map((name) =>
        bindings.RECOMMENDATION_DB.prepare(
          "INSERT INTO models (application, version, sha256, manifest, metrics, status, created_at) VALUES (?, 'v', 'x', '{}', '{}', 'registered', 1)",
        ).bind(name),
      ),
    );
    await bindings.GATEWAY_DB.batch(
      names.map((name) =>
        bindings.GATEWAY_DB.prepare(
          "INSERT INTO api_keys (application, id, role, name, hash, created_at) VALUES (?, 'k', 'admin', 'n', ?, 1)",
        ).bind(name, name),
      ),
    );
    await bindings.PRODUCT_DB.batch(
      names.map((name) =>
        bindings.PRODUCT_DB.prepare(
          "INSERT INTO outbox (application, product_id, version, sent_at) VALUES (?, 'p', 1, 1)",
        ).bind(name),
      ),
    );
    for (let minute = 0; minute < 3; minute++) await workers.runCron("* * * * *", minute * 60_000);
    const minutes = isLong ? nightlyShares : 3;
    for (let minute = 0; minute < minutes; minute++) {
      const { invocations } = await workers.runCron(nightlyCron, minute * 60_000);
      expect(invocations).toBeLessThanOrEqual(32);
    }
    const started = new Set(createdInstances.map((id) => id.replace(/-night-.*/, "")));
    expect(started).toEqual(new Set(names.filter((name) => shareOf(name, nightlyShares) < minutes)));
  });
});
