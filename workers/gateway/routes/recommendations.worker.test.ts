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
      headers: { authorization: "Bearer dev-client-key", "content-type": "application/json" },
      body: JSON.stringify({ userId: "ann", limit: 3 }),
      cf: { city: "Lima", country: "PE", latitude: "-12.04", longitude: "-77.03", timezone: "America/Lima" },
    });
    const answer = await gateway.app.request(request);
    expect(answer.status).toBe(200);
    expect(calls).toMatchObject([
      ["demo", { userId: "ann", limit: 3 }, { city: "Lima", point: { lat: -12.04, lon: -77.03 } }],
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
});
