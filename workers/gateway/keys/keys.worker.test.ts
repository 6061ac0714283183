import { describe, expect, it } from "vitest";
import { createdKey, type KeyRecord } from "../../shared/contracts/credential.ts";
import { openDoor, tokenFor, tokenSecret } from "../testing/door.ts";
import { testEnvironment } from "../testing/environment.ts";
import { issueToken } from "./tokens.ts";

const create = async (door: ReturnType<typeof openDoor>, body: object, key = "dev-admin-key") =>
  createdKey.parse(await (await door.call("POST", "/v1/keys", { key, body })).json());

describe("keys", () => {
  it("open the door of their own application, and only within their role", async () => {
    const door = openDoor();
    const admin = await create(door, { role: "admin", application: "shop" });
    const client = await create(door, { role: "client" }, admin.key);
    expect(client.application).toBe("shop");

    await door.call("PUT", "/v1/products/p1", { key: admin.key, body: { title: "One" } });
    expect((await door.call("GET", "/v1/products/p1", { key: client.key })).status).toBe(200);
    expect((await door.call("GET", "/v1/products/p1", { key: "dev-client-key" })).status).toBe(404);
    expect((await door.call("GET", "/v1/keys", { key: client.key })).status).toBe(403);
  });

  it("do not make keys of another application", async () => {
    const door = openDoor();
    const admin = await create(door, { role: "admin", application: "one" });
    const body = { role: "admin", application: "two" };
    expect((await door.call("POST", "/v1/keys", { key: admin.key, body })).status).toBe(403);
  });

  it("are stored as hashes, listed without themselves, and revoked at once", async () => {
    const door = openDoor();
    const made = await create(door, { role: "client", name: "front end" });
    const rows = await testEnvironment.DB.prepare("select * from api_keys").all();
    expect(JSON.stringify(rows.results)).not.toContain(made.key);

    const list = await (await door.call("GET", "/v1/keys")).json<{ items: KeyRecord[] }>();
    expect(list.items.find(({ id }) => id === made.id)).toMatchObject({ name: "front end", revokedAt: null });
    expect(JSON.stringify(list)).not.toContain(made.key);

    expect((await door.call("GET", "/v1/products", { key: made.key })).status).toBe(200);
    expect((await door.call("DELETE", `/v1/keys/${made.id}`)).status).toBe(204);
    expect((await door.call("GET", "/v1/products", { key: made.key })).status).toBe(401);
    expect((await door.call("DELETE", "/v1/keys/none")).status).toBe(404);
  });

  it("for development exist only where the environment says so", async () => {
    const door = openDoor({ settings: { developmentKeys: false, tokenSecret } });
    for (const key of ["dev-admin-key", "dev-client-key"])
      expect((await door.call("GET", "/v1/products", { key })).status).toBe(401);
  });

  it("are limited in their rate, with the standard headers; development keys are not", async () => {
    const door = openDoor();
    const { key } = await create(door, { role: "client" });
    const answers = [];
    for (let i = 0; i < 7; i++) answers.push(await door.call("GET", "/v1/products", { key }));
    expect(answers[0].headers.get("ratelimit-policy")).toContain("w=10");
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0].headers.get("retry-after")).toBe("10");
    expect(refused[0].headers.get("ratelimit")).toContain("r=0");
    for (let i = 0; i < 7; i++) expect((await door.call("GET", "/v1/products")).status).toBe(200);
  });
});

describe("tokens", () => {
  it("stand for one person", async () => {
    const door = openDoor();
    const answer = await door.call("POST", "/v1/tokens", { body: { userId: "ann" } });
    expect(answer.status).toBe(201);
    const { token: key } = await answer.json<{ token: string }>();
    const ask = (userId: string) => door.call("POST", "/v1/recommendations", { key, body: { userId } });
    expect((await ask("ann")).status).toBe(200);
    expect((await ask("bob")).status).toBe(403);
    expect((await door.call("GET", "/v1/users/ann/recommendations", { key })).status).toBe(200);
    expect((await door.call("GET", "/v1/users/bob/recommendations", { key })).status).toBe(403);
    const event = { eventId: "e", userId: "bob", type: "view", productId: "p" };
    expect((await door.call("POST", "/v1/events", { key, body: { events: [event] } })).status).toBe(403);
    const own = [{ ...event, userId: "ann" }];
    expect((await door.call("POST", "/v1/events", { key, body: { events: own } })).status).toBe(202);
    expect((await door.call("GET", "/v1/users/ann", { key })).status).toBe(403);
  });

  it("that are expired, forged, or of no algorithm are no credential", async () => {
    const door = openDoor();
    const now = Math.floor(Date.now() / 1000);
    const eve = { application: "demo", userId: "eve" };
    const good = await tokenFor("eve");
    const [, payload] = good.split(".");
    const none = btoa(JSON.stringify({ alg: "none" })).replace(/=+$/, "");
    const bad = [
      await issueToken(eve, tokenSecret, now - 7200, 3600),
      await issueToken(eve, `${tokenSecret}x`, now, 3600),
      await issueToken({ ...eve, userId: "a b" }, tokenSecret, now, 3600),
      `${none}.${payload}.`,
      `${good}x`,
      "..",
      "vic_short",
    ];
    expect((await door.call("GET", "/v1/products", { key: good })).status).toBe(200);
    for (const key of bad) expect((await door.call("GET", "/v1/products", { key })).status, key).toBe(401);
  });

  it("are neither issued nor accepted without a secret", async () => {
    const door = openDoor({ settings: { developmentKeys: true, tokenSecret: null } });
    expect((await door.call("POST", "/v1/tokens", { body: { userId: "eve" } })).status).toBe(503);
    expect((await door.call("GET", "/v1/products", { key: await tokenFor("eve") })).status).toBe(401);
  });
});
