import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ApiOperation } from "../workers/gateway/testing/operations.ts";
import { parseOperations } from "../workers/gateway/testing/operations.ts";
import { sampleRequestOf } from "../workers/gateway/testing/sample-requests.ts";
import { asLines, oslo, productsAround } from "./products.ts";
import { eventually, Stack } from "./stack.ts";

const stack = new Stack();
const artifacts = join(import.meta.dirname, "../model/artifacts");

/** Stands in everything that the first application was told. */
const secret = "okapi";
const pixel = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

/** Names of what the first application has, by the pattern of a path. */
const ids = new Map<string, string>([
  ["/v1/users/", "ann"],
  ["/v1/products/", "p-0"],
  ["/v1/imports/", "load"],
]);
const idOf = (path: string): string => {
  const found = [...ids].find(([prefix]) => path.startsWith(prefix));
  if (!found)
    throw new Error(`${path} names something that the first application does not have here: add it.`);
  return found[1];
};

async function made(method: string, path: string, options: Parameters<Stack["call"]>[2] = {}) {
  const answer = await stack.call<Record<string, string>>(method, path, options);
  expect(answer.status, `${method} ${path}: ${JSON.stringify(answer.body)}`).toBeLessThan(300);
  return answer.body;
}

/** All that the first application has: a bit of everything there is. */
async function furnish(): Promise<void> {
  const products = productsAround("p", oslo, 12).map((each) => ({
    ...each,
    title: `${secret} ${each.id}`,
    category: secret,
  }));
  await made("POST", "/v1/products/bulk", {
    body: asLines(products),
    headers: { "content-type": "application/x-ndjson" },
  });
  await made("PUT", "/v1/products/p-0/images/0", { body: pixel, headers: { "content-type": "image/png" } });
  await made("PUT", "/v1/users/ann", { body: { home: oslo } });
  await made("POST", "/v1/events", {
    body: { events: [{ eventId: `${secret}-1`, userId: "ann", type: "view", productId: "p-0" }] },
  });
  await made("PUT", "/v1/users/gone", { body: { home: oslo } });
  ids.set("/v1/erasures/", (await made("DELETE", "/v1/users/gone")).id);
  ids.set("/v1/keys/", (await made("POST", "/v1/keys", { body: { role: "client", name: secret } })).id);
  await made("PUT", "/v1/imports/load", { body: { status: "done", done: 1, total: 1 } });
  ids.set("/v1/recalibrations/", (await made("POST", "/v1/recalibrations", { body: {} })).id);
  const model = new FormData();
  const manifest = JSON.parse(readFileSync(join(artifacts, "bundled.json"), "utf8"));
  model.set("manifest", JSON.stringify({ ...manifest, version: "model-of-ann" }));
  model.set("model", new File([readFileSync(join(artifacts, "bundled.onnx"))], "model.onnx"));
  const sent = await fetch(`${stack.url}v1/models`, {
    method: "POST",
    headers: { authorization: "Bearer dev-admin-key" },
    body: model,
  });
  expect(sent.status, await sent.text()).toBe(201);
  ids.set("/v1/models/", "model-of-ann");
  const catalog = await stack.binding("product", "CATALOGUE");
  await catalog.send({ application: "demo", productIds: secret });
  const deadLetters = await eventually(
    () => stack.call<{ items: { id: string }[] }>("GET", "/v1/dead-letters"),
    ({ body }) => body.items.length === 1,
    20,
  );
  ids.set("/v1/dead-letters/", deadLetters.body.items[0].id);
  const answer = await eventually(
    () =>
      stack.call<{ recommendationId: string; items: unknown[] }>("POST", "/v1/recommendations", {
        body: { userId: "ann", location: oslo },
      }),
    ({ body }) => body.items?.length === 10,
    20,
  );
  ids.set("/v1/recommendations/", answer.body.recommendationId);
}

/** What the first application sees of itself, by its own admin key. */
async function state(): Promise<Record<string, unknown>> {
  const around = `lat=${oslo.lat}&lon=${oslo.lon}`;
  const paths = [
    "/v1/products",
    "/v1/users",
    "/v1/users/ann",
    "/v1/users/ann/interactions",
    "/v1/keys",
    "/v1/models",
    "/v1/dead-letters",
    `/v1/locations/nearby?${around}`,
    `/v1/trending?${around}`,
    "/v1/products/p-0/similar",
    ...[...ids]
      .flatMap(([prefix, id]) => (prefix === "/v1/imports/" ? [] : [prefix + id]))
      .filter((path) => !path.startsWith("/v1/keys/") && !path.startsWith("/v1/models/")),
  ];
  const seen: Record<string, unknown> = {};
  for (const path of paths) {
    const { status, body } = await stack.call("GET", path);
    // What is in fashion fades by the second.
    const still = JSON.stringify(body, (key, value) => (key === "score" ? Math.round(10 * value) : value));
    seen[path] = { status, body: JSON.parse(still) };
  }
  return seen;
}

let operations: ApiOperation[] = [];
const strangers = new Map<string, string>();

beforeAll(async () => {
  await stack.start();
  await furnish();
  operations = parseOperations((await stack.call("GET", "/openapi.json")).body, idOf);
  const { key } = await made("POST", "/v1/keys", { body: { application: "other", role: "admin" } });
  strangers.set("admin key", key);
  strangers.set("client key", (await made("POST", "/v1/keys", { key, body: { role: "client" } })).key);
  strangers.set("token", (await made("POST", "/v1/tokens", { key, body: { userId: "ann" } })).token);
});
afterAll(() => stack.stop());

describe("of two applications", () => {
  it("neither sees nor changes anything of the other, by any operation and credential", async () => {
    // The view is counted everywhere, and nothing moves any more.
    const trending = `/v1/trending?lat=${oslo.lat}&lon=${oslo.lon}`;
    await eventually(
      () => stack.call<{ items: { score: number }[] }>("GET", trending),
      ({ body }) => body.items[0].score > 0,
      80,
    );
    const before = await state();
    expect(JSON.stringify(before)).toContain(secret);
    // Questions first: nothing is there yet that the other application made itself.
    const asked = [...operations].sort((a, b) => Number(b.method === "GET") - Number(a.method === "GET"));
    const tried: string[] = [];
    for (const operation of asked)
      for (const [credential, key] of strangers) {
        const { method, path, options } = sampleRequestOf(operation, "ann");
        const answer = await fetch(new URL(path, stack.url), {
          method,
          redirect: "manual",
          headers: { authorization: `Bearer ${key}`, ...options.headers },
          body: options.body as RequestInit["body"],
        });
        const text = await answer.text();
        const what = `${operation.name} by the other's ${credential}: ${answer.status} ${text}`;
        tried.push(operation.name);
        expect(answer.status, what).toBeLessThan(500);
        expect(text, what).not.toContain(secret);
        // What has a name that nobody chose is nowhere else; a picture is public under its hash.
        const named = [...ids.keys()].find((prefix) => path.startsWith(prefix) && /[0-9a-f]{8}/.test(path));
        if (named && operation.access !== null) expect([401, 403, 404], what).toContain(answer.status);
      }
    expect(new Set(tried)).toEqual(new Set(operations.map(({ name }) => name)));
    expect(await state()).toEqual(before);
  }, 150_000);
});
