import { describe, expect, it } from "vitest";
import type { BulkReport } from "../../../shared/contracts/product.ts";
import { createTestGateway, unlimitedRate } from "../testing/test-gateway.ts";

const gateway = createTestGateway({ limiter: unlimitedRate });

/** Returns a text or bytes as gzip. */
const gzip = async (content: string | Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(
    await new Response(new Response(content).body?.pipeThrough(new CompressionStream("gzip"))).arrayBuffer(),
  );
const send = (
  path: string,
  body: Uint8Array | string,
  headers: Record<string, string>,
  method = "POST",
): Promise<Response> =>
  gateway.call(method, path, {
    body,
    headers: {
      "content-type": path.includes("bulk") ? "application/x-ndjson" : "application/json",
      ...headers,
    },
  });
const encoded = { "content-encoding": "gzip" };
const event = { eventId: "e", userId: "ann", type: "view", productId: "p" };

describe("a compressed body", () => {
  it("E6: is read as what was compressed, in every kind of body", async () => {
    const events = await send("/v1/events", await gzip(JSON.stringify({ events: [event] })), encoded);
    expect(events.status).toBe(202);
    const product = JSON.stringify({ title: "Brötchen 🍞" });
    const put = await send("/v1/products/gz", await gzip(product), { "content-encoding": "GZIP" }, "PUT");
    expect([put.status, await put.json()]).toMatchObject([201, { title: "Brötchen 🍞" }]);
    const lines = Array.from({ length: 9000 }, (_, i) => `{"id":"z${i}","title":"T"}`).join("\n");
    const bulk = await send("/v1/products/bulk", await gzip(lines), encoded);
    expect(await bulk.json<BulkReport>()).toMatchObject({ received: 9000, accepted: 9000, rejected: 0 });
    const picture = await send(
      "/v1/products/gz/images/0",
      await gzip(new Uint8Array([0xff, 0xd8])),
      { ...encoded, "content-type": "image/jpeg" },
      "PUT",
    );
    expect(picture.status).toBe(200);
  });

  it("E6: is refused with a reason if it is damaged, cut off, or no gzip at all", async () => {
    const whole = await gzip(JSON.stringify({ events: [event] }));
    const damaged = whole.slice();
    damaged[damaged.length - 6] ^= 0xff;
    for (const body of [
      damaged,
      whole.slice(0, -9),
      new TextEncoder().encode(JSON.stringify({ events: [event] })),
    ])
      for (const path of ["/v1/events", "/v1/events/bulk"]) {
        const answer = await send(path, body, encoded);
        expect(answer.status).toBe(400);
        expect(await answer.json()).toMatchObject({ detail: expect.stringContaining("gzip") });
      }
  });

  it("E6: may have several members, as concatenated files have, wherever its chunks end", async () => {
    const text = JSON.stringify({ title: "Brötchen 🍞" });
    const [head, tail] = [await gzip(text.slice(0, 9)), await gzip(text.slice(9))];
    const whole = new Uint8Array([...head, ...tail, 0, 0, 0]);
    for (const cut of [1, 9, head.byteLength, head.byteLength + 1, whole.byteLength - 3, whole.byteLength]) {
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          for (const part of [whole.slice(0, cut), whole.slice(cut)])
            if (part.length > 0) controller.enqueue(part);
          controller.close();
        },
      });
      const headers = {
        authorization: "Bearer dev-admin-key",
        "content-type": "application/json",
        ...encoded,
      };
      const answer = await gateway.app.request("/v1/products/members", { method: "PUT", headers, body });
      expect([answer.status, await answer.json()], `${cut}`).toMatchObject([
        cut === 1 ? 201 : 200,
        { title: "Brötchen 🍞" },
      ]);
    }
    for (const rest of [tail.slice(0, -1), new TextEncoder().encode("no gzip")]) {
      const answer = await send("/v1/products/members", new Uint8Array([...head, ...rest]), encoded, "PUT");
      expect(answer.status).toBe(400);
    }
  });

  it("E6: of lines that is cut off says how many lines were handled", async () => {
    const random = Array.from(
      { length: 6000 },
      (_, i) => `{"id":"cut-${i}","title":"${crypto.randomUUID()}"}`,
    );
    const whole = await gzip(random.join("\n"));
    const answer = await send("/v1/products/bulk", whole.slice(0, whole.byteLength / 2), encoded);
    const { detail } = await answer.json<{ detail: string }>();
    expect(answer.status).toBe(400);
    expect(Number(/gzip.* The lines before \((\d+)\) were handled/.exec(detail)?.[1])).toBeGreaterThan(100);
    expect((await gateway.call("GET", "/v1/products/cut-0")).status).toBe(200);
  });

  it("E6: without its header is a 400 that names the header", async () => {
    const answer = await send("/v1/events", await gzip("{}"), {});
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ detail: expect.stringContaining("content-encoding: gzip") });
  });

  it("E6: of another encoding is a 415 that names gzip", async () => {
    for (const encoding of ["br", "deflate", "zstd", "gzip, gzip"]) {
      const answer = await send("/v1/events", "{}", { "content-encoding": encoding });
      expect(answer.status).toBe(415);
      expect(await answer.json()).toMatchObject({ detail: expect.stringContaining("must be gzip") });
    }
  });

  it("E6: may not expand beyond the limit of the operation", async () => {
    const bomb = await gzip(new Uint8Array(100 * 1024 * 1024).fill(0x20));
    expect(bomb.byteLength).toBeLessThan(256 * 1024);
    for (const path of ["/v1/events", "/v1/products/bulk"])
      expect((await send(path, bomb, encoded)).status, path).toBe(413);
  });
});

describe("a body that is not UTF-8", () => {
  const latin1 = Uint8Array.from(JSON.stringify({ title: "Café" }), (c) => c.charCodeAt(0));

  it("E5: is refused with the offset of the byte", async () => {
    const answer = await send("/v1/products/cafe", latin1, {}, "PUT");
    expect([answer.status, await answer.json()]).toMatchObject([
      400,
      { detail: "The body must be UTF-8; got the byte 0xE9 at offset 13.", code: "invalid_input" },
    ]);
    expect((await gateway.call("GET", "/v1/products/cafe")).status).toBe(404);
  });

  it("E5: is a 415 that names UTF-8 if its charset is another one", async () => {
    for (const charset of ["iso-8859-1", "windows-1252", "UTF-16", '"latin1"']) {
      const type = { "content-type": `application/json; charset=${charset}` };
      const answer = await send("/v1/products/cafe", latin1, type, "PUT");
      expect(answer.status).toBe(415);
      expect(await answer.json()).toMatchObject({ detail: expect.stringContaining("UTF-8") });
      const lines = { "content-type": `application/x-ndjson; charset=${charset}` };
      expect((await send("/v1/products/bulk", latin1, lines)).status).toBe(415);
    }
    for (const charset of ["utf-8", "UTF8", '"utf-8"', "'utf-8'", "", "utf-8;", "utf-8; profile=x"]) {
      const type = { "content-type": `application/json;charset=${charset}` };
      expect((await send("/v1/products/x", '{"title":"é"}', type, "PUT")).status).toBeLessThan(300);
    }
  });

  it("E5: is named if it begins as UTF-16", async () => {
    const utf16 = new Uint8Array([0xff, 0xfe, 0x7b, 0, 0x7d, 0]);
    const answer = await send("/v1/products/cafe", utf16, {}, "PUT");
    expect(await answer.json()).toMatchObject({ detail: expect.stringContaining("begins as UTF-16") });
  });

  it("E5: is reported by line in bulk, and the other lines are stored", async () => {
    const line = (id: string) => `{"id":"${id}","title":"Café"}\n`;
    const bytes = [
      ...new TextEncoder().encode(line("utf8")),
      ...Uint8Array.from(line("latin"), (c) => c.charCodeAt(0)),
    ];
    const answer = await send("/v1/products/bulk", Uint8Array.from(bytes), {});
    expect([answer.status, await answer.json()]).toMatchObject([
      200,
      {
        accepted: 1,
        errors: [{ line: 2, code: "invalid_input", message: expect.stringContaining("0xE9 at offset 26") }],
      },
    ]);
  });
});
