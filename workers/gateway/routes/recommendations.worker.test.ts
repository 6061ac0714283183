import { describe, expect, it } from "vitest";
import { inMemoryServices } from "../testing/in-memory-services.ts";
import { createTestGateway } from "../testing/test-gateway.ts";

describe("the recommendation routes", () => {
  it("pass on the location of `request.cf`, and report model and stages in the header and the data point", async () => {
    const services = inMemoryServices();
    const calls: unknown[] = [];
    const { recommend } = services.recommendation;
    services.recommendation.recommend = (...args) => {
      calls.push(args);
      return recommend(...args);
    };
    const gateway = createTestGateway({ services });
    const request = new Request("http://localhost/v1/recommendations", {
      method: "POST",
      headers: { authorization: "Bearer dev-server-key", "content-type": "application/json" },
      body: JSON.stringify({ userId: "ann", limit: 3 }),
      cf: { city: "Lima", country: "PE", latitude: "-12.04", longitude: "-77.03", timezone: "America/Lima" },
    });
    const answer = await gateway.app.request(request);
    expect(answer.status).toBe(200);
    expect(calls).toMatchObject([
      [
        "demo",
        { userId: "ann", limit: 3 },
        { city: "Lima", point: { lat: -12.04, lon: -77.03 } },
        { isVouched: true, tokenIssuedAt: null },
        "en",
      ],
    ]);
    expect(answer.headers.get("server-timing")).toMatch(/^person;dur=1.5, onnx;desc="skipped", gateway;dur=/);
    expect(gateway.points).toMatchObject([
      {
        route: "/v1/recommendations",
        status: 200,
        application: "demo",
        modelVersion: "m1",
        fallback: "onnx",
        code: "",
      },
    ]);
  });

  it("explain in the language that the header prefers, and say which", async () => {
    const services = inMemoryServices();
    const asked: unknown[] = [];
    const { recommend } = services.recommendation;
    services.recommendation.recommend = (...args) => {
      asked.push(args[4]);
      return recommend(...args);
    };
    const { call } = createTestGateway({ services });
    const explained = async (header: string, explain: boolean) => {
      const { headers } = await call("POST", "/v1/recommendations", {
        body: { userId: "ann", explain },
        headers: { "accept-language": header },
      });
      return [headers.get("content-language"), headers.get("vary")?.includes("accept-language") ?? false];
    };
    expect(await explained("it, de-CH;q=0.8, en;q=0.2", true)).toEqual(["de", true]);
    expect(await explained("xx", true)).toEqual(["en", true]);
    expect(await explained("fr", false)).toEqual([null, false]);
    expect(asked).toEqual(["de", "en", "fr"]);
  });

  it("accept lat and lon in the query, both or neither", async () => {
    const { call } = createTestGateway();
    const path = "/v1/users/ann/recommendations";
    expect((await call("GET", `${path}?lat=59.9&lon=10.7&limit=5`)).status).toBe(200);
    for (const query of [
      "lat=59.9",
      "lat=91&lon=0",
      "lat=&lon=",
      "lat=0x3&lon=1",
      "lat=1&lat=2&lon=3",
      "limit=0",
      "limit=1e1",
    ])
      expect((await call("GET", `${path}?${query}`)).status, query).toBe(400);
  });

  it("L2, L3: name the wrong field of a filter once, and say what is right, in a query as in a body", async () => {
    const { call } = createTestGateway();
    const errorsOf = async (answer: Promise<Response>): Promise<unknown> => {
      const { status, errors } = await (await answer).json<{ status: number; errors: unknown }>();
      expect(status).toBe(400);
      return errors;
    };
    const inQuery = (query: string) => errorsOf(call("GET", `/v1/trending?${query}`));
    const inBody = (body: object) => errorsOf(call("POST", "/v1/recommendations", { body }));
    const bounds = { path: "priceMin", message: "must not be above `priceMax`, which is 5; got 10" };
    expect(await inQuery("priceMin=10&priceMax=5")).toEqual([bounds]);
    expect(await inBody({ userId: "ann", filter: { priceMin: 10, priceMax: 5 } })).toEqual([
      { ...bounds, path: "filter.priceMin" },
    ]);
    expect(await inBody({ location: { lat: 1 } })).toEqual([
      { path: "userId", message: "is missing" },
      { path: "location.lon", message: "is missing" },
    ]);
    expect(await inQuery("lat=91&lon=0")).toEqual([
      { path: "lat", message: 'Too big: expected number to be <=90; got "91"' },
    ]);
    const ids = Array.from({ length: 501 }, (_, i) => `exclude=p${i}`).join("&");
    expect(await inQuery(ids)).toMatchObject([
      { path: "exclude", message: expect.stringContaining("expected array to have <=500 items") },
    ]);
    expect((await call("GET", `/v1/trending?${ids.slice(ids.indexOf("&") + 1)}`)).status).toBe(200);
    expect(await inQuery("exclude=p1&exclude=..")).toMatchObject([
      { path: "exclude.1", message: expect.stringContaining("not `.` or `..`") },
    ]);
    expect(await inQuery("category=")).toMatchObject([
      { path: "category.0", message: expect.stringContaining("expected string to have >=1 characters") },
    ]);
  });
});
