import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { generateKey } from "../workers/gateway/keys/key.ts";
import { arbitraryRequest } from "./fuzz/arbitrary-requests.ts";
import { listOperations, openApiDocument } from "./fuzz/openapi-document.ts";
import { ResponseValidator } from "./fuzz/response-validator.ts";
import { TestStack } from "./support/test-stack.ts";

const long = process.env.VICINITY_LONG === "1";
const runs = Number(process.env.VICINITY_FUZZ_RUNS ?? (long ? 20_000 : 500));
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
    ["none", ""],
    ["unknown key", generateKey("server")],
    ["garbage", "\u00ff\u00fe"],
  ]);
}

it(
  "answers every generated request as the OpenAPI document specifies, and never with an unlisted 5xx status",
  async () => {
    const document = openApiDocument.parse((await stack.call("GET", "/openapi.json", { key: "" })).body);
    const operations = listOperations(document);
    const keys = await createCredentials();
    const validator = new ResponseValidator(document);
    const counts = new Map<number, number>();
    const succeededOperations = new Set<string>();
    await fc.assert(
      fc.asyncProperty(arbitraryRequest(document, operations, [...keys.keys()]), async (request) => {
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
