import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ApiOperation } from "../workers/gateway/testing/operations.ts";
import { parseOperations } from "../workers/gateway/testing/operations.ts";
import { sampleRequestOf } from "../workers/gateway/testing/sample-requests.ts";
import { ndjsonHeaders, toNdjson } from "./ndjson.ts";
import { pollUntil } from "./polling.ts";
import { generateProducts, oslo } from "./products.ts";
import { TestStack } from "./test-stack.ts";

const stack = new TestStack();
const artifacts = join(import.meta.dirname, "../model/artifacts");

/** Stands in everything that the first application was told. */
const marker = "okapi";
const pixel = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

/** Names of what the first application has, by the pattern of a path. */
const resourceIds = new Map<string, string>([
  ["/v1/users/", "ann"],
  ["/v1/products/", "p-0"],
  ["/v1/imports/", "load"],
]);
const idOf = (path: string): string => {
  const found = [...resourceIds].find(([prefix]) => path.startsWith(prefix));
  if (!found)
    throw new Error(`${path} names something that the first application does not have here: add it.`);
  return found[1];
};

async function callSuccessfully(
  method: string,
  path: string,
  options: Parameters<TestStack["call"]>[2] = {},
) {
  const answer = await stack.call<Record<string, string>>(method, path, options);
  expect(answer.status, `${method} ${path}: ${JSON.stringify(answer.body)}`).toBeLessThan(300);
  return answer.body;
}

/** All that the first application has: a bit of everything there is. */
async function createFirstApplication(): Promise<void> {
  const products = generateProducts("p", oslo, 12).map((each) => ({
    ...each,
    title: `${marker} ${each.id}`,
    category: marker,
  }));
  await callSuccessfully("POST", "/v1/products/bulk", {
    body: toNdjson(products),
    headers: ndjsonHeaders,
  });
  await callSuccessfully("PUT", "/v1/products/p-0/images/0", {
    body: pixel,
    headers: { "content-type": "image/png" },
  });
  await callSuccessfully("PUT", "/v1/users/ann", { body: { home: oslo } });
  await callSuccessfully("POST", "/v1/events", {
    body: { events: [{ eventId: `${marker}-1`, userId: "ann", type: "view", productId: "p-0" }] },
  });
  await callSuccessfully("PUT", "/v1/users/gone", { body: { home: oslo } });
  resourceIds.set("/v1/erasures/", (await callSuccessfully("DELETE", "/v1/users/gone")).id);
  resourceIds.set(
    "/v1/keys/",
    (await callSuccessfully("POST", "/v1/keys", { body: { role: "client", name: marker } })).id,
  );
  await callSuccessfully("PUT", "/v1/imports/load", { body: { status: "done", done: 1, total: 1 } });
  resourceIds.set(
    "/v1/recalibrations/",
    (await callSuccessfully("POST", "/v1/recalibrations", { body: {} })).id,
  );
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
  resourceIds.set("/v1/models/", "model-of-ann");
  const catalog = await stack.binding("product", "CATALOGUE");
  await catalog.send({ application: "demo", productIds: marker });
  const deadLetters = await pollUntil(
    () => stack.call<{ items: { id: string }[] }>("GET", "/v1/dead-letters"),
    ({ body }) => body.items.length === 1,
    20,
  );
  resourceIds.set("/v1/dead-letters/", deadLetters.body.items[0].id);
  const answer = await pollUntil(
    () =>
      stack.call<{ recommendationId: string; items: unknown[] }>("POST", "/v1/recommendations", {
        body: { userId: "ann", location: oslo },
      }),
    ({ body }) => body.items?.length === 10,
    20,
  );
  resourceIds.set("/v1/recommendations/", answer.body.recommendationId);
}

/** What the first application sees of itself, by its own admin key. */
async function readFirstApplication(): Promise<Record<string, unknown>> {
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
    ...[...resourceIds]
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
const otherCredentials = new Map<string, string>();

beforeAll(async () => {
  await stack.start();
  await createFirstApplication();
  operations = parseOperations((await stack.call("GET", "/openapi.json")).body, idOf);
  const { key } = await callSuccessfully("POST", "/v1/keys", {
    body: { application: "other", role: "admin" },
  });
  otherCredentials.set("admin key", key);
  otherCredentials.set(
    "client key",
    (await callSuccessfully("POST", "/v1/keys", { key, body: { role: "client" } })).key,
  );
  otherCredentials.set(
    "token",
    (await callSuccessfully("POST", "/v1/tokens", { key, body: { userId: "ann" } })).token,
  );
});
afterAll(() => stack.stop());

describe("of two applications", () => {
  it("neither sees nor changes anything of the other, by any operation and credential", async () => {
    // The view is counted everywhere, and nothing moves any more.
    const trending = `/v1/trending?lat=${oslo.lat}&lon=${oslo.lon}`;
    await pollUntil(
      () => stack.call<{ items: { score: number }[] }>("GET", trending),
      ({ body }) => body.items[0].score > 0,
      80,
    );
    const before = await readFirstApplication();
    expect(JSON.stringify(before)).toContain(marker);
    // Questions first: nothing is there yet that the other application made itself.
    const asked = [...operations].sort((a, b) => Number(b.method === "GET") - Number(a.method === "GET"));
    const tried: string[] = [];
    for (const operation of asked)
      for (const [credential, key] of otherCredentials) {
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
        expect(text, what).not.toContain(marker);
        // What has a name that nobody chose is nowhere else; a picture is public under its hash.
        const named = [...resourceIds.keys()].find(
          (prefix) => path.startsWith(prefix) && /[0-9a-f]{8}/.test(path),
        );
        if (named && operation.access !== null) expect([401, 403, 404], what).toContain(answer.status);
      }
    expect(new Set(tried)).toEqual(new Set(operations.map(({ name }) => name)));
    expect(await readFirstApplication()).toEqual(before);
  }, 150_000);
});
