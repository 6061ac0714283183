import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CreatedKey } from "../../shared/contracts/credential.ts";
import type { StoredImage } from "../../shared/contracts/image.ts";
import type { NearbyAnswer } from "../../shared/contracts/location.ts";
import { jpeg, secret } from "../../workers/product/images/testing/sample-images.ts";
import { ndjsonHeaders, toNdjson } from "../support/ndjson.ts";
import { pollUntil } from "../support/polling.ts";
import { generateProducts, lima, oslo } from "../support/products.ts";
import { type ApiCallOptions, TestStack } from "../support/test-stack.ts";

const stack = new TestStack();
/** A name that no answer to strangers may contain. */
const tenant = "hidden-tenant-7";
let tenantKey = "";

beforeAll(async () => {
  await stack.start();
  const created = await stack.call<CreatedKey>("POST", "/v1/keys", {
    body: { application: tenant, role: "admin" },
  });
  tenantKey = created.body.key;
});
afterAll(() => stack.stop());

/** Makes a request of the tenant. */
const call = <T = Record<string, unknown>>(method: string, path: string, options: ApiCallOptions = {}) =>
  stack.call<T>(method, path, { key: tenantKey, ...options });
/** Makes a request without a credential. Returns its status, and everything that the stranger sees as one text. */
async function asStranger(method: string, path: string): Promise<{ status: number; text: string }> {
  const answer = await fetch(new URL(path, stack.url), { method, redirect: "manual" });
  const headers = [...answer.headers].map((header) => header.join(": ")).join("\n");
  return {
    status: answer.status,
    text: `${headers}\n${Buffer.from(await answer.arrayBuffer()).toString("latin1")}`,
  };
}

const storeImage = async (productId: string, n: number): Promise<StoredImage> => {
  const answer = await call<StoredImage>("PUT", `/v1/products/${productId}/images/${n}`, {
    body: jpeg(),
    headers: { "content-type": "image/jpeg" },
  });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body;
};

describe("an image", () => {
  it("S15: is public without its position, and gone once it is replaced or deleted, or its product is", async () => {
    await call("PUT", "/v1/products/camera", { body: { title: "Camera" } });
    const [first, second] = [await storeImage("camera", 0), await storeImage("camera", 1)];
    const shown = await asStranger("GET", first.path);
    expect(shown.status).toBe(200);
    expect(shown.text).toContain("cache-control: public, max-age=300");
    expect(shown.text).not.toContain(secret);
    expect((await call("GET", "/v1/products/camera")).body).toMatchObject({
      images: [first.path, second.path],
    });
    expect((await call("DELETE", "/v1/products/camera/images/0")).status).toBe(204);
    expect((await asStranger("GET", first.path)).status).toBe(404);
    expect((await asStranger("GET", second.path)).status).toBe(200);
    await call("DELETE", "/v1/products/camera");
    expect((await asStranger("GET", second.path)).status).toBe(404);
  });
});

describe("a stranger", () => {
  it("S13: reads whether the service is ready, and no name of an import, an application or a worker", async () => {
    await call("PUT", "/v1/imports/secret-import", { body: { status: "running", done: 1, total: 9 } });
    const { status, body } = await stack.call("GET", "/readyz", { key: "" });
    expect([status, body]).toEqual([200, { status: "ready" }]);
    expect((await stack.call("GET", "/v1/readiness", { key: "" })).status).toBe(401);
    expect((await call("GET", "/v1/readiness")).body).toMatchObject({
      ready: true,
      workers: { product: { ready: true } },
      imports: [{ name: "secret-import", done: 1 }],
    });
    expect((await stack.call("GET", "/v1/readiness")).body).toMatchObject({ ready: true, imports: [] });
  });

  it("learns of no application, database or worker from any public answer or refusal", async () => {
    await call("PUT", "/v1/products/shown", { body: { title: "Shown" } });
    const { path } = await storeImage("shown", 0);
    const paths = [
      ...["/", "/docs", "/ops", "/healthz", "/readyz", "/openapi.json", path],
      ...[`/v1/images/${"x".repeat(22)}`, "/v1/images/short", `/v1/images/${tenant}/abc`, "/nothing"],
      ...["/v1/products", "/v1/products/shown", "/v1/products/shown/images/0", "/v1/keys", "/v1/readiness"],
    ];
    for (const each of paths)
      for (const method of ["GET", "POST"]) {
        const { text } = await asStranger(method, each);
        const answer = `${method} ${each}: ${text.slice(0, 2000)}`;
        if (!each.includes(tenant)) expect(text, answer).not.toContain(tenant);
        expect(text, answer).not.toMatch(/vicinity-(gateway|user|product|recommendation|location|trainer)/);
        expect(text, answer).not.toMatch(/\bD1_|SQLITE|no such table/);
      }
  });
});

describe("two applications", () => {
  it("a small one's product is found while another imports thousands", async () => {
    const large = generateProducts("large", lima, 9000);
    for (let i = 0; i < large.length; i += 3000) {
      const { body } = await stack.call("POST", "/v1/products/bulk", {
        body: toNdjson(large.slice(i, i + 3000)),
        headers: ndjsonHeaders,
      });
      expect(body).toMatchObject({ accepted: 3000 });
    }
    await call("PUT", "/v1/products/small-one", { body: { title: "Small", location: oslo } });
    const near = `/v1/locations/nearby?lat=${oslo.lat}&lon=${oslo.lon}&limit=5`;
    const found = await pollUntil(
      async () => (await call<NearbyAnswer>("GET", near)).body.items?.map(({ productId }) => productId) ?? [],
      (ids) => ids.includes("small-one"),
      30,
    );
    expect(found).toEqual(["small-one"]);
    expect((await call("GET", "/v1/readiness")).body).toMatchObject({
      workers: { product: { ready: true } },
    });
  });
});
