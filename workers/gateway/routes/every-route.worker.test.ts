import { describe, expect, it } from "vitest";
import { problem } from "../../shared/contracts/problem.ts";
import { openDoor, tokenFor, unlimited } from "../testing/door.ts";
import { operationsOf } from "../testing/operations.ts";

const door = openDoor();
const operations = await operationsOf(door);
const guarded = operations.filter(({ access }) => access !== null);
const open = openDoor({ limiter: unlimited });

/** A stream that fails the test when anything reads it. */
const untouchable = () =>
  new ReadableStream<Uint8Array>(
    {
      pull() {
        throw new Error("the body was read");
      },
    },
    { highWaterMark: 0 },
  );

async function expectProblem(answer: Response, status: number, what: string) {
  expect(answer.status, what).toBe(status);
  expect(answer.headers.get("content-type"), what).toBe("application/problem+json");
  const body = problem.parse(await answer.json());
  expect(body.status).toBe(status);
  expect(body.requestId).toBe(answer.headers.get("x-request-id"));
  return body;
}

describe("the document", () => {
  it("names every operation of the API", () => {
    expect(operations.map(({ name }) => name).sort()).toEqual(
      [
        "POST /v1/recommendations",
        "GET /v1/users/{id}/recommendations",
        "GET /v1/users/{id}/live",
        "GET /v1/recommendations/{id}",
        "GET /v1/products/{id}/similar",
        "GET /v1/trending",
        "GET /v1/locations/nearby",
        "GET /v1/locations/resolve",
        "POST /v1/events",
        "POST /v1/events/bulk",
        "PUT /v1/users/{id}/location",
        "GET /v1/users",
        "PUT /v1/users/{id}",
        "GET /v1/users/{id}",
        "PATCH /v1/users/{id}",
        "DELETE /v1/users/{id}",
        "GET /v1/users/{id}/interactions",
        "GET /v1/products",
        "POST /v1/products/bulk",
        "PUT /v1/products/{id}",
        "GET /v1/products/{id}",
        "PATCH /v1/products/{id}",
        "DELETE /v1/products/{id}",
        "PUT /v1/products/{id}/images/{n}",
        "GET /v1/products/{id}/images/{n}",
        "GET /v1/images/{application}/{sha256}",
        "GET /v1/models",
        "POST /v1/models",
        "POST /v1/models/{version}/promote",
        "POST /v1/models/{version}/rollback",
        "POST /v1/keys",
        "GET /v1/keys",
        "POST /v1/keys/{id}/rotate",
        "DELETE /v1/keys/{id}",
        "POST /v1/tokens",
        "PUT /v1/imports/{name}",
        "GET /healthz",
        "GET /readyz",
      ].sort(),
    );
  });

  it("refers to nothing that it does not hold", async () => {
    const text = await (await door.call("GET", "/openapi.json", { key: "" })).text();
    const { components } = JSON.parse(text);
    const names = [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(30);
    expect([...new Set(names)].filter((name) => !(name in components.schemas))).toEqual([]);
    expect(Object.keys(components.schemas)).toContain("Event");
  });

  it("leaves nothing open but health, readiness and images", () => {
    expect(operations.filter(({ access }) => access === null).map(({ path }) => path.slice(0, 10))).toEqual([
      "/v1/images",
      "/healthz",
      "/readyz",
    ]);
  });
});

describe.each(guarded)("$name", ({ method, path, access, body }) => {
  it("is closed without a credential and with a wrong one, before it reads the body", async () => {
    for (const authorization of [
      undefined,
      "Bearer nobody",
      "Basic ZGV2LWFkbWluLWtleQ==",
      "Bearer",
      "dev-admin-key",
    ]) {
      const answer = await door.app.request(path, {
        method,
        headers: authorization === undefined ? {} : { authorization },
        body: body === null ? undefined : untouchable(),
      });
      await expectProblem(answer, 401, `${authorization}`);
      expect(answer.headers.get("www-authenticate")).toBe("Bearer");
    }
  });

  it("is closed outside its scope, before it reads the body", async () => {
    const wrong = [];
    if (access === "admin") wrong.push("dev-client-key");
    if (access === "admin" || access === "client") wrong.push(await tokenFor("x"));
    if (access === "self") wrong.push(await tokenFor("somebody-else"));
    for (const key of wrong) {
      const answer = await open.app.request(path, {
        method,
        headers: { authorization: `Bearer ${key}` },
        body: body === null ? undefined : untouchable(),
      });
      await expectProblem(answer, 403, key);
    }
  });

  it("reports query parameters that it does not know", async () => {
    const answer = await door.call(method, `${path}?colour=blue`, {
      headers: body === null ? {} : { "content-type": body },
      body: body === null ? undefined : "{}",
    });
    const { errors } = await expectProblem(answer, 400, path);
    expect(errors?.map((error) => error.path)).toContain("colour");
  });
});

describe.each(guarded.filter(({ body }) => body === "application/json"))("$name", ({ method, path }) => {
  const send = (body: string | Uint8Array, type = "application/json") =>
    door.call(method, path, { body, headers: type === "" ? {} : { "content-type": type } });

  it("answers bad bodies with a problem that says what is wrong", async () => {
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

  it("refuses other content types and bodies beyond its bound", async () => {
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
    const answer = await door.app.request(path, {
      method,
      headers: { authorization: "Bearer dev-admin-key", "content-type": "application/json" },
      body: endless,
    });
    await expectProblem(answer, 413, "endless");
    expect(sent).toBeLessThan(1_000_000);
  });
});

describe.each(guarded.filter(({ path, method }) => path.includes("/x") && method !== "POST"))(
  "$name",
  ({ method, path, body }) => {
    it("refuses identifiers outside their grammar", async () => {
      for (const id of ["a%20b", "a%2Fb", "%F0%9F%8D%95", "x".repeat(129), "a:b"]) {
        const answer = await door.call(method, path.replace("/x", `/${id}`), {
          headers: body === null ? {} : { "content-type": body },
          body: body === null ? undefined : "{}",
        });
        await expectProblem(answer, 400, id);
      }
    });
  },
);

describe("paths and methods", () => {
  it("that do not exist are problems", async () => {
    await expectProblem(await door.call("GET", "/v1/nothing"), 404, "path");
    const answer = await door.call("PATCH", "/v1/recommendations");
    await expectProblem(answer, 405, "method");
    expect(answer.headers.get("allow")).toBe("POST");
    await expectProblem(await door.call("DELETE", "/openapi.json", { key: "" }), 405, "document");
  });
});
