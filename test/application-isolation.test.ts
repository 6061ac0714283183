import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ApiOperation } from "../workers/gateway/testing/operations.ts";
import { parseOperations } from "../workers/gateway/testing/operations.ts";
import { sampleRequestOf } from "../workers/gateway/testing/sample-requests.ts";
import { importProducts } from "./support/import-products.ts";
import { pollUntil } from "./support/polling.ts";
import { generateProducts, onePixelPng, oslo } from "./support/products.ts";
import { TestStack } from "./support/test-stack.ts";

const stack = new TestStack();
const artifacts = join(import.meta.dirname, "../model/artifacts");

/** Text that the titles, names and ids of the first application contain. No answer to another application may contain it. */
const marker = "okapi";

/** Ids of resources of the first application, by prefix of the path. */
const resourceIds = new Map<string, string>([
  ["/v1/users/", "ann"],
  ["/v1/products/", "p-0"],
  ["/v1/imports/", "load"],
]);
const idOf = (path: string): string => {
  const found = [...resourceIds].find(([prefix]) => path.startsWith(prefix));
  if (!found)
    throw new Error(
      `${path} needs the id of a resource, but resourceIds has no entry for it. Create the resource in createFirstApplication and add its id.`,
    );
  return found[1];
};

/** Calls an endpoint and returns the body. Fails if the status is 300 or above. */
async function callSuccessfully(
  method: string,
  path: string,
  options: Parameters<TestStack["call"]>[2] = {},
) {
  const answer = await stack.call<Record<string, string>>(method, path, options);
  expect(answer.status, `${method} ${path}: ${JSON.stringify(answer.body)}`).toBeLessThan(300);
  return answer.body;
}

/** Creates at least one resource of each kind in the first application, and records their ids. */
async function createFirstApplication(): Promise<void> {
  const products = generateProducts("p", oslo, 12).map((each) => ({
    ...each,
    title: `${marker} ${each.id}`,
    category: marker,
  }));
  await importProducts(stack, products);
  await callSuccessfully("PUT", "/v1/products/p-0/images/0", {
    body: onePixelPng,
    headers: { "content-type": "image/png" },
  });
  const { images } = await callSuccessfully("GET", "/v1/products/p-0");
  resourceIds.set("/v1/images/", images[0].slice("/v1/images/".length));
  await callSuccessfully("PUT", "/v1/users/ann", { body: { home: oslo } });
  // Lists show a product only after five users have chosen it.
  await callSuccessfully("POST", "/v1/events", {
    body: {
      events: ["ann", "ben", "cid", "dora", "eve"].map((userId) => ({
        ...{ eventId: `${marker}-1`, userId, type: "view", productId: "p-0" },
      })),
    },
  });
  await callSuccessfully("PUT", "/v1/users/gone", { body: { home: oslo } });
  resourceIds.set("/v1/erasures/", (await callSuccessfully("DELETE", "/v1/users/gone")).id);
  await callSuccessfully("PUT", "/v1/users/ben", { body: { consent: { location: "exact" } } });
  const lowered = await stack.call<{ coarsening: { id: string } }>("PATCH", "/v1/users/ben", {
    body: { consent: { location: "city" } },
  });
  resourceIds.set("/v1/coarsenings/", lowered.body.coarsening.id);
  resourceIds.set(
    "/v1/merges/",
    (await callSuccessfully("POST", "/v1/users/ann/merge", { body: { from: `anon-${"a".repeat(22)}` } })).id,
  );
  resourceIds.set(
    "/v1/keys/",
    (await callSuccessfully("POST", "/v1/keys", { body: { role: "server", name: marker } })).id,
  );
  await callSuccessfully("PUT", "/v1/imports/load", { body: { status: "done", done: 1, total: 1 } });
  resourceIds.set(
    "/v1/recalibrations/",
    (await callSuccessfully("POST", "/v1/recalibrations", { body: {} })).id,
  );
  await callSuccessfully("PUT", "/v1/experiments/layout", {
    body: { variants: [{ name: "control" }, { name: marker }] },
  });
  resourceIds.set("/v1/experiments/", "layout");
  resourceIds.set(
    "/v1/evaluations/",
    (await callSuccessfully("POST", "/v1/evaluations", { body: { diversity: 0.5 } })).id,
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
  await callSuccessfully("PUT", "/v1/scenarios/lunch", { body: { exclude: [marker] } });
  resourceIds.set("/v1/scenarios/", "lunch");
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

/** Returns the answers to all reads of the first application with its own admin key, by path. */
async function readFirstApplication(): Promise<Record<string, unknown>> {
  const osloQuery = `lat=${oslo.lat}&lon=${oslo.lon}`;
  const paths = [
    "/v1/products",
    "/v1/users",
    "/v1/users/ann",
    "/v1/users/ann/interactions",
    "/v1/keys",
    "/v1/models",
    "/v1/dead-letters",
    "/v1/imports",
    `/v1/locations/nearby?${osloQuery}`,
    `/v1/trending?${osloQuery}`,
    "/v1/products/p-0/similar",
    ...[...resourceIds]
      .flatMap(([prefix, id]) => (prefix === "/v1/imports/" ? [] : [prefix + id]))
      .filter((path) => !path.startsWith("/v1/keys/") && !path.startsWith("/v1/models/")),
  ];
  const answers: Record<string, unknown> = {};
  for (const path of paths) {
    const { status, body } = await stack.call("GET", path);
    // Trending scores decay with time; rounding hides the decay during the test.
    const rounded = JSON.stringify(body, (key, value) => (key === "score" ? Math.round(10 * value) : value));
    answers[path] = { status, body: JSON.parse(rounded) };
  }
  return answers;
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
    "server key",
    (await callSuccessfully("POST", "/v1/keys", { key, body: { role: "server" } })).key,
  );
  otherCredentials.set(
    "publishable key",
    (await callSuccessfully("POST", "/v1/keys", { key, body: { role: "publishable" } })).key,
  );
  otherCredentials.set(
    "session token",
    (await callSuccessfully("POST", "/v1/sessions", { key, body: {} })).token,
  );
  otherCredentials.set(
    "token",
    (await callSuccessfully("POST", "/v1/tokens", { key, body: { userId: "ann" } })).token,
  );
});
afterAll(() => stack.stop());

describe("application isolation", () => {
  it("lets no credential of another application read or change data with any operation", async () => {
    // Wait until the view has reached the trending score, so that nothing changes during the test.
    const trending = `/v1/trending?lat=${oslo.lat}&lon=${oslo.lon}`;
    await pollUntil(
      () => stack.call<{ items: { score: number }[] }>("GET", trending),
      ({ body }) => body.items[0].score > 0,
      80,
    );
    const before = await readFirstApplication();
    expect(JSON.stringify(before)).toContain(marker);
    // Reads run first, while the other application has no data of its own.
    const readsFirst = [...operations].sort(
      (a, b) => Number(b.method === "GET") - Number(a.method === "GET"),
    );
    const calledOperations: string[] = [];
    for (const operation of readsFirst)
      for (const [credential, key] of otherCredentials) {
        const { method, path, options } = sampleRequestOf(operation, "ann");
        const answer = await fetch(new URL(path, stack.url), {
          method,
          redirect: "manual",
          headers: { authorization: `Bearer ${key}`, ...options.headers },
          body: options.body as RequestInit["body"],
        });
        const text = await answer.text();
        const details = `${operation.name} with the ${credential} of the other application: ${answer.status} ${text}`;
        calledOperations.push(operation.name);
        expect(answer.status, details).toBeLessThan(500);
        expect(text, details).not.toContain(marker);
        // An id that the server generates exists in one application only. Images are excluded: they are public.
        const hasGeneratedId = [...resourceIds.keys()].find(
          (prefix) => path.startsWith(prefix) && /[0-9a-f]{8}/.test(path),
        );
        if (hasGeneratedId && operation.access !== null)
          expect([401, 403, 404], details).toContain(answer.status);
      }
    expect(new Set(calledOperations)).toEqual(new Set(operations.map(({ name }) => name)));
    expect(await readFirstApplication()).toEqual(before);
  }, 150_000);
});
