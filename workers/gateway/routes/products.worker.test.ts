import { describe, expect, it } from "vitest";
import { createTestGateway } from "../testing/test-gateway.ts";

describe("the product routes", () => {
  it("create, replace, read, change and remove a product", async () => {
    const { call } = createTestGateway();
    const put = (body: object) => call("PUT", "/v1/products/p1", { body });
    expect((await put({ title: "One" })).status).toBe(201);
    expect((await put({ title: "One", id: "p1", price: 2 })).status).toBe(200);
    expect((await put({ title: "One", id: "p2" })).status).toBe(409);
    expect(await (await call("GET", "/v1/products/p1", { key: "dev-server-key" })).json()).toMatchObject({
      id: "p1",
      category: "unknown",
      price: 2,
      totals: { view: 0, people: 0 },
    });
    const patched = await call("PATCH", "/v1/products/p1", { body: { available: false } });
    expect(await patched.json()).toMatchObject({ title: "One", available: false });
    expect((await call("DELETE", "/v1/products/p1")).status).toBe(204);
    expect((await call("GET", "/v1/products/p1")).status).toBe(404);
  });

  it("L3: refuse a price with more digits than its currency has, with 400 and the field", async () => {
    const { call } = createTestGateway();
    const message = "must have at most 2 digits after the decimal point, as EUR has; got 19.955";
    const wrong = { title: "One", price: 19.955, currency: "EUR" };
    for (const [method, body] of [
      ["PUT", wrong],
      ["PATCH", { price: wrong.price, currency: wrong.currency }],
    ] as const) {
      const answer = await call(method, "/v1/products/p1", { body });
      expect([answer.status, await answer.json()]).toMatchObject([
        400,
        { code: "invalid_input", errors: [{ path: "price", message }] },
      ]);
    }
    const bulk = await call("POST", "/v1/products/bulk", {
      body: `${JSON.stringify({ ...wrong, id: "p1" })}\n${JSON.stringify({ ...wrong, id: "p2", price: 19.95 })}`,
      headers: { "content-type": "application/x-ndjson" },
    });
    expect(await bulk.json()).toMatchObject({
      accepted: 1,
      rejected: 1,
      errors: [{ line: 1, message: `price: ${message}` }],
    });
  });

  it("S15: store images, serve them publicly under a path that names no application, and delete them", async () => {
    const { call } = createTestGateway();
    await call("PUT", "/v1/products/p1", { body: { title: "One" } });
    const put = (bytes: number[]) =>
      call("PUT", "/v1/products/p1/images/0", {
        body: new Uint8Array(bytes),
        headers: { "content-type": "image/jpeg" },
      });
    expect((await put([0xff, 0xd8])).status).toBe(200);
    expect((await put([1])).status).toBe(415);
    expect((await put([])).status).toBe(400);
    const redirect = await call("GET", "/v1/products/p1/images/0");
    expect(redirect.status).toBe(302);
    const path = redirect.headers.get("location") ?? "";
    const image = await call("GET", path, { key: "" });
    expect(image.status).toBe(200);
    expect(image.headers.get("content-type")).toBe("image/jpeg");
    expect(image.headers.get("cache-control")).toBe("public, max-age=300");
    expect(path).not.toContain("demo");
    const etag = image.headers.get("etag") ?? "";
    const again = await call("GET", path, { key: "", headers: { "if-none-match": `"x", W/${etag}` } });
    expect([again.status, again.headers.get("etag")]).toEqual([304, etag]);
    // An image that is gone is gone for a client that has it too.
    const gone = `/v1/images/${"b".repeat(22)}`;
    const headers = { "if-none-match": `"${"b".repeat(22)}"` };
    expect((await call("GET", gone, { key: "", headers })).status).toBe(404);
    expect((await call("DELETE", "/v1/products/p1/images/0")).status).toBe(204);
    expect((await call("DELETE", "/v1/products/p1/images/1")).status).toBe(404);
  });
});
