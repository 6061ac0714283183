import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { generateKey } from "../workers/gateway/keys/key.ts";
import { arbitraryRequest } from "./fuzz/arbitrary-requests.ts";
import { listOperations, openApiDocument } from "./fuzz/openapi-document.ts";
import { ResponseValidator } from "./fuzz/response-validator.ts";
import { importProducts, waitForNearbyProducts } from "./support/import-products.ts";
import { generateProducts, onePixelPng, oslo } from "./support/products.ts";
import { TestStack } from "./support/test-stack.ts";

const long = process.env.VICINITY_LONG === "1";
const runs = Number(process.env.VICINITY_FUZZ_RUNS ?? (long ? 20_000 : 800));
const seed = Number(process.env.VICINITY_FUZZ_SEED ?? (long ? Date.now() % 2 ** 31 : 1));

const stack = new TestStack();
beforeAll(() => stack.start());
afterAll(() => stack.stop());

/** Returns credentials by name. Requests use the first one most often. */
async function createCredentials(): Promise<Map<string, string>> {
  const createCredential = async (path: string, body: object, secretField: string): Promise<string> => {
    const answer = await stack.call("POST", path, { body });
    expect(answer.status, JSON.stringify(answer.body)).toBe(201);
    return String(answer.body[secretField]);
  };
  return new Map([
    ["admin", "dev-admin-key"],
    ["server", "dev-server-key"],
    ["publishable", "dev-publishable-key"],
    ["user token", await createCredential("/v1/tokens", { userId: "u-1" }, "token")],
    ["session token", await createCredential("/v1/sessions", {}, "token")],
    ["none", ""],
    ["unknown key", generateKey("server")],
    ["garbage", "\u00ff\u00fe"],
  ]);
}

/** Returns ids of resources that requests cannot guess, by the path before the id. */
async function createResources(): Promise<Map<string, string>> {
  const create = async (method: string, path: string, body: unknown, headers = {}) => {
    const answer = await stack.call<Record<string, string>>(method, path, { body, headers });
    expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
    return answer.body;
  };
  const products = [...generateProducts("known", oslo, 5)];
  await importProducts(stack, products);
  await waitForNearbyProducts(stack, oslo, products);
  const png = { "content-type": "image/png" };
  await create("PUT", `/v1/products/${products[0].id}/images/0`, onePixelPng, png);
  const { images } = await create("GET", `/v1/products/${products[0].id}`, undefined);
  const answer = await create("POST", "/v1/recommendations", { userId: "known", location: oslo });
  const started = await create("DELETE", "/v1/users/known-and-erased", undefined);
  await create("PUT", "/v1/users/known-and-coarsened", { consent: { location: "exact" } });
  const lowered = await stack.call<{ coarsening: { id: string } }>("PATCH", "/v1/users/known-and-coarsened", {
    body: { consent: { location: "city" } },
  });
  const merged = await create("POST", "/v1/users/known/merge", { from: `anon-${"a".repeat(22)}` });
  for (const limit of [5, 6]) await create("PUT", "/v1/scenarios/known", { limit });
  return new Map([
    ["/v1/scenarios/", "known"],
    ["/v1/merges/", merged.id],
    ["/v1/coarsenings/", lowered.body.coarsening.id],
    ["/v1/recommendations/", answer.recommendationId],
    ["/v1/erasures/", started.id],
    ["/v1/images/", images[0].slice("/v1/images/".length)],
  ]);
}

it(
  "answers every generated request as the OpenAPI document specifies, and never with an unlisted 5xx status",
  async () => {
    const document = openApiDocument.parse((await stack.call("GET", "/openapi.json", { key: "" })).body);
    const operations = listOperations(document);
    const keys = await createCredentials();
    const ids = await createResources();
    const validator = new ResponseValidator(document);
    const counts = new Map<number, number>();
    const succeededOperations = new Set<string>();
    await fc.assert(
      fc.asyncProperty(arbitraryRequest(document, operations, [...keys.keys()], ids), async (request) => {
        const key = keys.get(request.credential) ?? "";
        const answer = await fetch(new URL(stack.url + request.path.replace(/^\//, "")), {
          method: request.operation.method,
          redirect: "manual",
          headers: { ...(key === "" ? {} : { authorization: `Bearer ${key}` }), ...request.headers },
          body: request.body as RequestInit["body"],
        });
        const text = await answer.text();
        counts.set(answer.status, (counts.get(answer.status) ?? 0) + 1);
        if (answer.status < 400) succeededOperations.add(request.operation.name);
        const violation = validator.findViolation(request.operation, {
          status: answer.status,
          headers: answer.headers,
          text,
        });
        if (violation !== null) throw new Error(violation);
      }),
      { numRuns: runs, seed },
    );
    const statusCounts = [...counts]
      .sort(([a], [b]) => a - b)
      .map(([status, count]) => `${status}: ${count}`);
    console.log(
      `\n${runs} requests to ${operations.length} operations, seed ${seed}: ${statusCounts.join(", ")}; ${succeededOperations.size} operations succeeded at least once\n`,
    );
    // Most operations must succeed at least once; otherwise the requests test only error handling.
    expect(succeededOperations.size).toBeGreaterThan(operations.length / 2);
  },
  long ? 3_600_000 : 240_000,
);
