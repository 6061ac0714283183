import { describe, expect, it } from "vitest";
import { createTestGateway } from "../testing/test-gateway.ts";

describe("the product routes", () => {
  it("create, replace, read, change and remove a product", async () => {
    const { call } = createTestGateway();
    const put = (body: object) => call("PUT", "/v1/products/p1", { body });
    expect((await put({ title: "One" })).status).toBe(201);
    expect((await put({ title: "One", id: "p1", price: 2 })).status).toBe(200);
    expect((await put({ title: "One", id: "p2" })).status).toBe(409);
    expect(await (await call("GET", "/v1/products/p1", { key: "dev-client-key" })).json()).toMatchObject({
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

  it("store images, and serve them publicly under an immutable path", async () => {
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
    expect(image.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    const etag = image.headers.get("etag") ?? "";
    const again = await call("GET", path, { key: "", headers: { "if-none-match": `"x", W/${etag}` } });
    expect([again.status, again.headers.get("etag")]).toEqual([304, etag]);
    expect((await call("GET", `/v1/images/demo/${"b".repeat(64)}`, { key: "" })).status).toBe(404);
  });
});
