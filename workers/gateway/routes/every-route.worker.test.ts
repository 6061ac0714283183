import { describe, expect, it } from "vitest";
import { problem } from "../../../shared/contracts/problem.ts";
import {
  createInvalidCredentials,
  createKey,
  credentialsFor,
  missingCredentials,
  strongestCredential,
} from "../testing/credentials.ts";
import { inMemoryServices } from "../testing/in-memory-services.ts";
import { type ApiOperation, fetchOperations } from "../testing/operations.ts";
import { recordApplications } from "../testing/record-applications.ts";
import { sampleRequestOf } from "../testing/sample-requests.ts";
import { createTestGateway, issueTestToken, unlimitedRate } from "../testing/test-gateway.ts";

const gateway = createTestGateway({ limiter: unlimitedRate });
const operations = await fetchOperations(gateway);
const guarded = operations.flatMap((operation) =>
  operation.access === null ? [] : [{ ...operation, access: operation.access }],
);
const invalid = await createInvalidCredentials();

/** A body that throws when anything reads it. */
const untouchable = () =>
  new ReadableStream<Uint8Array>(
    {
      pull() {
        throw new Error("the body was read");
      },
    },
    { highWaterMark: 0 },
  );

/** Sends a request whose body must not be read. */
const ask = async (
  { method, path, body }: ApiOperation,
  headers: Record<string, string>,
): Promise<Response> =>
  gateway.app.request(path, { method, headers, body: body === null ? undefined : untouchable() });

async function expectProblem(answer: Response, status: number, what: string) {
  expect(answer.status, what).toBe(status);
  expect(answer.headers.get("content-type"), what).toBe("application/problem+json");
  const body = problem.parse(await answer.json());
  expect(body.status).toBe(status);
  expect(body.requestId).toBe(answer.headers.get("x-request-id"));
  return body;
}

describe("/openapi.json", () => {
  it("lists every operation of the API and its access level", () => {
    const accesses = Object.fromEntries(operations.map(({ name, access }) => [name, access]));
    expect(accesses).toEqual({
      "POST /v1/recommendations": "user",
      "POST /v1/recommendations/batch": "server",
      "GET /v1/users/{id}/recommendations": "self",
      "GET /v1/users/{id}/live": "self",
      "GET /v1/recommendations/{id}": "server",
      "POST /v1/recommendations/{id}/replay": "server",
      "GET /v1/products/{id}/similar": "anyone",
      "GET /v1/trending": "anyone",
      "GET /v1/locations/nearby": "anyone",
      "GET /v1/locations/resolve": "anyone",
      "POST /v1/events": "user",
      "POST /v1/events/bulk": "events:import",
      "PUT /v1/users/{id}/location": "self",
      "GET /v1/users": "people:read",
      "PUT /v1/users/{id}": "people:write",
      "GET /v1/users/{id}": "own",
      "PATCH /v1/users/{id}": "people:write",
      "DELETE /v1/users/{id}": "people:write",
      "GET /v1/users/{id}/interactions": "people:read",
      "GET /v1/erasures/{id}": "people:write",
      "POST /v1/users/{id}/merge": "change",
      "GET /v1/merges/{id}": "user",
      "GET /v1/coarsenings/{id}": "people:write",
      "GET /v1/users/{id}/export": "own",
      "GET /v1/products": "anyone",
      "POST /v1/products/bulk": "products:write",
      "PUT /v1/products/{id}": "products:write",
      "GET /v1/products/{id}": "anyone",
      "PATCH /v1/products/{id}": "products:write",
      "DELETE /v1/products/{id}": "products:write",
      "PUT /v1/products/{id}/images/{n}": "products:write",
      "GET /v1/products/{id}/images/{n}": "anyone",
      "DELETE /v1/products/{id}/images/{n}": "products:write",
      "GET /v1/images/{image}": null,
      "GET /v1/models": "models:manage",
      "POST /v1/models": "models:manage",
      "GET /v1/models/{version}": "models:manage",
      "POST /v1/models/{version}/promote": "models:manage",
      "POST /v1/models/{version}/rollback": "models:manage",
      "GET /v1/scenarios": "server",
      "GET /v1/scenarios/{name}": "server",
      "PUT /v1/scenarios/{name}": "models:manage",
      "POST /v1/scenarios/{name}/rollback": "models:manage",
      "DELETE /v1/scenarios/{name}": "models:manage",
      "POST /v1/recalibrations": "models:manage",
      "GET /v1/recalibrations/{id}": "models:manage",
      "GET /v1/experiments": "experiments:manage",
      "PUT /v1/experiments/{name}": "experiments:manage",
      "GET /v1/experiments/{name}": "experiments:manage",
      "DELETE /v1/experiments/{name}": "experiments:manage",
      "GET /v1/experiments/{name}/results": "experiments:manage",
      "GET /v1/experiments/{name}/results.svg": "experiments:manage",
      "POST /v1/evaluations": "models:manage",
      "GET /v1/evaluations": "models:manage",
      "GET /v1/evaluations/{id}": "models:manage",
      "POST /v1/keys": "admin",
      "GET /v1/keys": "admin",
      "POST /v1/keys/{id}/rotate": "admin",
      "DELETE /v1/keys/{id}": "admin",
      "POST /v1/tokens": "tokens:issue",
      "POST /v1/sessions": "key",
      "POST /v1/sessions/renew": "session",
      "GET /v1/imports": "admin",
      "GET /v1/catalog/schema": "server",
      "PUT /v1/catalog/schema": "products:write",
      "PUT /v1/imports/{name}": "admin",
      "GET /v1/dead-letters": "admin",
      "GET /v1/dead-letters/{id}": "admin",
      "DELETE /v1/dead-letters/{id}": "admin",
      "POST /v1/dead-letters/{id}/replay": "admin",
      "POST /v1/rebuild": "admin",
      "GET /healthz": null,
      "GET /readyz": null,
      "GET /v1/readiness": "admin",
    });
  });

  it("refers only to schemas that it contains", async () => {
    const text = await (await gateway.call("GET", "/openapi.json", { key: "" })).text();
    const { components } = JSON.parse(text);
    const names = [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(30);
    expect([...new Set(names)].filter((name) => !(name in components.schemas))).toEqual([]);
    expect(Object.keys(components.schemas)).toContain("Event");
  });
});

describe.each(guarded)("$name", (operation) => {
  const { method, path, access, body } = operation;

  it("answers 401 to a missing or invalid credential, before it reads the body", async () => {
    const bearers = Object.entries(invalid).map(([what, credential]): [string, Record<string, string>] => [
      what,
      { authorization: `Bearer ${credential}` },
    ]);
    for (const [what, headers] of [...Object.entries(missingCredentials), ...bearers]) {
      const answer = await ask(operation, headers);
      await expectProblem(answer, 401, what);
      expect(answer.headers.get("www-authenticate"), what).toBe("Bearer");
    }
  });

  it("answers 403 to an insufficient credential, before it reads the body", async () => {
    const { insufficient } = await credentialsFor(access);
    for (const [what, credential] of Object.entries(insufficient)) {
      const answer = await ask(operation, { authorization: `Bearer ${credential}` });
      const { detail } = await expectProblem(answer, 403, what);
      expect(detail).toContain("scope");
    }
  });

  it("accepts a sufficient credential, and calls services for the caller's application only", async () => {
    const sample = sampleRequestOf(operation);
    const { sufficient } = await credentialsFor(access);
    const { status } = await gateway.call(method, sample.path, {
      ...sample.options,
      key: sufficient,
    });
    expect([401, 403], `${status}`).not.toContain(status);
    expect(status).toBeLessThan(500);

    const { services, applications } = recordApplications(inMemoryServices());
    const recording = createTestGateway({ services, limiter: unlimitedRate });
    const { key } = await createKey({ role: "admin", application: "stranger" });
    const answer = await recording.call(method, sample.path, { ...sample.options, key });
    expect(answer.status).toBeLessThan(500);
    expect([...applications].filter((application) => application !== "stranger")).toEqual([]);
  });

  it("refuses unknown query parameters", async () => {
    const answer = await gateway.call(method, `${path}?color=blue`, {
      key: await strongestCredential(operation),
      headers: body === null ? {} : { "content-type": body },
      body: body === null ? undefined : "{}",
    });
    const { errors } = await expectProblem(answer, 400, path);
    expect(errors?.map((error) => error.path)).toContain("color");
  });
});

describe.each(guarded.filter(({ body }) => body === "application/json"))("$name", (operation) => {
  const { method, path } = operation;
  const send = async (body: string | Uint8Array, type = "application/json") =>
    gateway.call(method, path, {
      key: await strongestCredential(operation),
      body,
      headers: type === "" ? {} : { "content-type": type },
    });

  it("answers malformed bodies with a problem that lists the issues", async () => {
    await expectProblem(await send("{"), 400, "broken JSON");
    await expectProblem(await send(""), 400, "empty");
    await expectProblem(await send(new Uint8Array([0xff, 0xfe, 0x00])), 400, "not UTF-8");
    for (const json of ["null", "[]", "3", '"text"', '{"__proto__":{"a":1},"surprise":true}']) {
      const { errors, code } = await expectProblem(await send(json), 400, json);
      expect(code).toBe("invalid_input");
      expect(errors?.length, json).toBeGreaterThan(0);
    }
    await expectProblem(await send("[".repeat(3000)), 400, "deep");
  });

  it("refuses an unknown field of an otherwise valid body", async () => {
    const { body } = sampleRequestOf(operation).options;
    const answer = await send(JSON.stringify({ ...JSON.parse(String(body)), surprise: true }));
    const { errors } = await expectProblem(answer, 400, "surprise");
    expect(errors).toEqual([{ path: "surprise", message: "is not a known field" }]);
  });

  it("refuses other content types and bodies above its limit", async () => {
    await expectProblem(await send("{}", "text/plain"), 415, "text");
    await expectProblem(await send("a=1", "application/x-www-form-urlencoded"), 415, "form");
    await expectProblem(await send(`{"a":"${"x".repeat(300_000)}"}`), 413, "large");
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 65_536;
        controller.enqueue(new Uint8Array(65_536).fill(0x20));
      },
    });
    const answer = await gateway.app.request(path, {
      method,
      headers: {
        authorization: `Bearer ${await strongestCredential(operation)}`,
        "content-type": "application/json",
      },
      body: endless,
    });
    await expectProblem(answer, 413, "endless");
    expect(sent).toBeLessThan(1_000_000);
  });
});

describe.each(guarded.filter(({ path, method }) => path.includes("/x") && method !== "POST"))(
  "$name",
  ({ method, path, body }) => {
    it("refuses malformed identifiers in its path", async () => {
      for (const id of [
        "%20a",
        "%FF",
        "%E0%A4%A",
        "%",
        "a%0Ab",
        "a%00",
        "%E2%80%AE",
        "x".repeat(129),
        "%C3%A9".repeat(65),
      ]) {
        const answer = await gateway.call(method, path.replace("/x", `/${id}`), {
          headers: body === null ? {} : { "content-type": body },
          body: body === null ? undefined : "{}",
        });
        await expectProblem(answer, 400, id);
      }
    });
  },
);

describe("a body about another user than the token's", () => {
  const named = operations.filter(({ name }) =>
    ["POST /v1/recommendations", "POST /v1/events"].includes(name),
  );
  it.each(named)("is refused by $name", async (operation) => {
    const own = sampleRequestOf(operation, "ann");
    const key = await issueTestToken("ann");
    expect((await gateway.call(own.method, own.path, { ...own.options, key })).status).toBeLessThan(300);
    const { method, path, options } = sampleRequestOf(operation, "bob");
    await expectProblem(await gateway.call(method, path, { ...options, key }), 403, operation.name);
  });
});

describe("a WebSocket request", () => {
  const path = "/v1/users/x/live";
  const connect = (protocols: string) =>
    gateway.app.request(path, {
      headers: { upgrade: "websocket", "sec-websocket-protocol": protocols },
    });

  it("is refused with every invalid or insufficient credential as its subprotocol", async () => {
    for (const [what, credential] of Object.entries(invalid))
      await expectProblem(await connect(`vicinity, ${credential}`), 401, what);
    const { insufficient, sufficient } = await credentialsFor("self");
    for (const [what, credential] of Object.entries(insufficient))
      await expectProblem(await connect(`vicinity, ${credential}`), 403, what);
    expect((await connect(`vicinity, ${sufficient}`)).status).toBe(404);
  });
});

describe("an unknown path or method", () => {
  it("is answered with a problem", async () => {
    await expectProblem(await gateway.call("GET", "/v1/nothing"), 404, "path");
    const answer = await gateway.call("PATCH", "/v1/recommendations");
    await expectProblem(answer, 405, "method");
    expect(answer.headers.get("allow")).toBe("POST");
    await expectProblem(await gateway.call("DELETE", "/openapi.json", { key: "" }), 405, "document");
  });
});
