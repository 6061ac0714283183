import { describe, expect, it } from "vitest";
import type { EventInput } from "../../../shared/contracts/event.ts";
import { ok } from "../../../shared/contracts/result.ts";
import { createKey } from "../testing/credentials.ts";
import { inMemoryServices } from "../testing/in-memory-services.ts";
import { createTestGateway, issueTestToken, testSettings, unlimitedRate } from "../testing/test-gateway.ts";

const event = { eventId: "b1", userId: "ann", type: "view", productId: "p" };
const text = { "content-type": "text/plain;charset=UTF-8", origin: "https://shop.example" };

/** A gateway, what its service received, and a function that sends a beacon as browsers do. */
function beaconGateway(origins: "*" | string[] = "*") {
  const services = inMemoryServices();
  const received: EventInput[] = [];
  services.recommendation.ingestEvents = async (_, events) => {
    received.push(...events);
    return ok({ accepted: events.length, duplicates: 0, rejected: [], warnings: [] });
  };
  const gateway = createTestGateway({
    services,
    limiter: unlimitedRate,
    settings: { ...testSettings, origins },
  });
  const send = (body: unknown, headers: Record<string, string> = text) =>
    gateway.call("POST", "/v1/events", {
      key: "",
      headers,
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  return { ...gateway, received, send };
}

describe("a beacon", () => {
  it("E11: is accepted with a user's token in its body, as a simple request of another origin", async () => {
    const { send, received } = beaconGateway();
    const answer = await send({ token: await issueTestToken("ann"), events: [event] });
    expect(answer.status).toBe(202);
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(received).toEqual([event]);
  });

  it("E11: may be a Blob of JSON", async () => {
    const { send, received } = beaconGateway();
    const body = { token: await issueTestToken("ann"), events: [event] };
    for (const type of ["application/json", "application/json; charset=utf-8"]) {
      expect((await send(body, { "content-type": type })).status).toBe(202);
      expect((await send({ events: [event] }, { "content-type": type })).status).toBe(401);
    }
    expect(received).toEqual([event, event]);
  });

  it("E11: acts for the token's own user only, and never by a key", async () => {
    const { send, received } = beaconGateway();
    const token = await issueTestToken("bob");
    expect((await send({ token, events: [event] })).status).toBe(403);
    for (const role of ["admin", "server", "publishable"] as const) {
      const { key } = await createKey({ role });
      const answer = await send({ token: key, events: [event] });
      expect([answer.status, (await answer.json<{ detail: string }>()).detail]).toEqual([
        403,
        expect.stringContaining("user token"),
      ]);
    }
    expect(received).toEqual([]);
  });

  it("E11: without a valid token is a 401 that quotes nothing of the body", async () => {
    const { send } = beaconGateway();
    for (const body of [{ events: [event] }, { token: 5, events: [event] }, "[]", "null"])
      expect((await send(body)).status, JSON.stringify(body)).toBe(401);
    for (const body of ["{", "a-secret-of-mine", "", " "]) {
      const answer = await send(body);
      expect(answer.status, JSON.stringify(body)).toBe(400);
      expect(await answer.text()).not.toContain("secret");
    }
    const wrong = await send({ token: "a-secret-of-mine", events: [event] });
    expect(wrong.status).toBe(401);
    expect(await wrong.text()).not.toContain("a-secret-of-mine");
    const token = await issueTestToken("ann");
    const malformed = await send({ token, events: "none" });
    expect(malformed.status).toBe(400);
    expect(await malformed.text()).not.toContain(token);
    expect((await send({ token, events: [] }, { "content-type": "text/css" })).status).toBe(401);
  });

  it("E11: is refused from a page of an origin that the deployment does not list", async () => {
    const { send } = beaconGateway(["https://shop.example"]);
    const body = { token: await issueTestToken("ann"), events: [event] };
    expect((await send(body)).status).toBe(202);
    expect((await send(body, { ...text, origin: "http://localhost" })).status).toBe(202);
    expect((await send(body, { ...text, origin: "https://evil.example" })).status).toBe(403);
  });

  it("E11: has at most 64 KiB of UTF-8", async () => {
    const { send } = beaconGateway();
    const large = { token: await issueTestToken("ann"), events: [event], more: "x".repeat(70_000) };
    expect((await send(large)).status).toBe(413);
    expect((await send({ token: "x" }, { "content-type": "text/plain;charset=windows-1252" })).status).toBe(
      415,
    );
  });
});
