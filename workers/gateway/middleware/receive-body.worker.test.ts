import { describe, expect, it } from "vitest";
import type { BulkReport } from "../../../shared/contracts/product.ts";
import { strongestCredential } from "../testing/credentials.ts";
import { fetchOperations } from "../testing/operations.ts";
import { createTestGateway, unlimitedRate } from "../testing/test-gateway.ts";

const minRate = { graceMs: 50, bytesPerSecond: 1_000_000 };
const gateway = createTestGateway({ minBodyRate: minRate, limiter: unlimitedRate });
const operations = await fetchOperations(gateway);

/** A body that sends a text, then neither more nor an end. */
const stalling = (text: string) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text));
    },
  });

const send = (path: string, method: string, type: string, body: ReadableStream, key = "dev-admin-key") =>
  gateway.app.request(path, {
    method,
    headers: { authorization: `Bearer ${key}`, "content-type": type },
    body,
  });

describe("receiveBody, for a body that does not end", () => {
  it.each(operations.filter(({ body }) => body !== null))("answers $name with 408", async (operation) => {
    const { path, method, body } = operation;
    const answer = await send(path, method, `${body}`, stalling(" "), await strongestCredential(operation));
    expect(answer.status).toBe(408);
    expect(await answer.json()).toMatchObject({ code: "request_timeout", status: 408 });
  });

  it("handles the lines that arrived before the timeout", async () => {
    const body = stalling('{"id":"kept","title":"Kept"}\n{"id":"lost"');
    expect((await send("/v1/products/bulk", "POST", "application/x-ndjson", body)).status).toBe(408);
    expect((await gateway.call("GET", "/v1/products/kept")).status).toBe(200);
  });
});

describe("receiveBody, for a body that announces few bytes", () => {
  const announce = (bytes: number, body: ReadableStream, path = "/v1/events") =>
    gateway.app.request(path, {
      method: "POST",
      headers: {
        ...{ authorization: "Bearer dev-admin-key", "content-type": "application/json" },
        "content-length": String(bytes),
      },
      body,
    });

  it("answers 408 where it does not end, 400 where it breaks off, and 413 where it is larger after all", async () => {
    expect((await announce(20, stalling('{"events":'))).status).toBe(408);
    const broken = new ReadableStream<Uint8Array>({
      pull() {
        throw new Error("connection lost");
      },
    });
    expect((await announce(20, broken)).status).toBe(400);
    const large = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(`{"userId":"${"a".repeat(300 * 1024)}"}`));
        controller.close();
      },
    });
    expect((await announce(20, large, "/v1/recommendations")).status).toBe(413);
  });

  it("reads it as it was sent", async () => {
    const text = '{"events":[]}';
    const whole = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of new TextEncoder().encode(text)) controller.enqueue(new Uint8Array([byte]));
        controller.close();
      },
    });
    const answer = await announce(text.length, whole);
    expect(await answer.json()).toMatchObject({ errors: [{ path: "events" }] });
  });
});

describe("receiveBody", () => {
  it("refuses a body that breaks off", async () => {
    const broken = new ReadableStream<Uint8Array>({
      pull() {
        throw new Error("connection lost");
      },
    });
    const answer = await send("/v1/events", "POST", "application/json", broken);
    expect(answer.status).toBe(400);
  });

  it("refuses JSON that nests too deep, and reports such a line of a bulk body", async () => {
    const deep = `${'{"a":'.repeat(11)}1${"}".repeat(11)}`;
    for (const type of ["application/json", "application/json; charset=utf-8", "Application/JSON"]) {
      const answer = await gateway.call("POST", "/v1/events", {
        body: deep,
        headers: { "content-type": type },
      });
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ detail: expect.stringContaining("10 levels") });
    }
    const lines = await gateway.call("POST", "/v1/products/bulk", {
      body: `${deep}\n{"id":"flat","title":"Flat"}`,
      headers: { "content-type": "application/x-ndjson" },
    });
    expect(await lines.json<BulkReport>()).toMatchObject({
      accepted: 1,
      errors: [{ line: 1, message: "nests too deep: 10 levels are allowed" }],
    });
  });

  it("E3: says why a body is not JSON", async () => {
    for (const [body, message] of [
      ['{"events":[{"eventId":NaN}]}', 'is not JSON; it begins with "{\\"events\\":[{"'],
      ["", "is empty"],
      [" \n", "is empty"],
      ["{'events':[]}", "position 1"],
    ]) {
      const answer = await gateway.call("POST", "/v1/events", {
        body: new TextEncoder().encode(body),
        headers: { "content-type": "application/json" },
      });
      expect([answer.status, await answer.json()]).toMatchObject([
        400,
        { code: "invalid_input", errors: [{ path: "", message: expect.stringContaining(message) }] },
      ]);
    }
  });

  it("E3: accepts every content type of JSON", async () => {
    for (const type of [
      "application/json;",
      "application/vnd.shop2+json",
      "application/ld+json; charset=utf-8",
    ]) {
      const answer = await gateway.call("PUT", "/v1/products/typed", {
        body: '{"title":"Typed"}',
        headers: { "content-type": type },
      });
      expect(answer.status, type).toBeLessThan(300);
    }
  });

  it("passes the body on unchanged, however it is split into chunks", async () => {
    const text = JSON.stringify({ title: "Brötchen 🍞", attributes: { note: "[[[[[[[[[[[[" } });
    const bytes = new TextEncoder().encode(text);
    const cut = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of bytes) controller.enqueue(new Uint8Array([byte]));
        controller.close();
      },
    });
    const answer = await send("/v1/products/cut", "PUT", "application/json", cut);
    expect(answer.status).toBe(201);
    expect(await answer.json()).toMatchObject(JSON.parse(text));
  });
});
