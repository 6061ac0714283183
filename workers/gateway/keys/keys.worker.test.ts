import { describe, expect, it, vi } from "vitest";
import { createdKey, type KeyRecord, rotatedKey } from "../../../shared/contracts/credential.ts";
import { GatewayStore } from "../store.ts";
import { testEnvironment } from "../testing/test-environment.ts";
import {
  createTestGateway,
  issueTestToken,
  signTestToken,
  testSettings,
  unlimitedRate,
} from "../testing/test-gateway.ts";
import { generateKey, hashKey } from "./key.ts";
import { maxUnawaitedMs, refreshMs } from "./key-changes.ts";

const create = async (gateway: ReturnType<typeof createTestGateway>, body: object, key = "dev-admin-key") =>
  createdKey.parse(await (await gateway.call("POST", "/v1/keys", { key, body })).json());

describe("API keys", () => {
  it("give access to their own application only, and only within their role", async () => {
    const gateway = createTestGateway();
    const admin = await create(gateway, { role: "admin", application: "shop" });
    const client = await create(gateway, { role: "server" }, admin.key);
    expect(client.application).toBe("shop");

    await gateway.call("PUT", "/v1/products/p1", { key: admin.key, body: { title: "One" } });
    expect((await gateway.call("GET", "/v1/products/p1", { key: client.key })).status).toBe(200);
    expect((await gateway.call("GET", "/v1/products/p1", { key: "dev-server-key" })).status).toBe(404);
    expect((await gateway.call("GET", "/v1/keys", { key: client.key })).status).toBe(403);
  });

  it("cannot create keys of another application", async () => {
    const gateway = createTestGateway();
    const admin = await create(gateway, { role: "admin", application: "one" });
    const body = { role: "admin", application: "two" };
    expect((await gateway.call("POST", "/v1/keys", { key: admin.key, body })).status).toBe(403);
  });

  it("are stored as hashes, listed without the secret, and revoked at once", async () => {
    const gateway = createTestGateway();
    const made = await create(gateway, { role: "server", name: "front end" });
    const rows = await testEnvironment.DB.prepare("select * from api_keys").all();
    expect(JSON.stringify(rows.results)).not.toContain(made.key);

    const list = await (await gateway.call("GET", "/v1/keys")).json<{ items: KeyRecord[] }>();
    expect(list.items.find(({ id }) => id === made.id)).toMatchObject({ name: "front end", revokedAt: null });
    expect(JSON.stringify(list)).not.toContain(made.key);

    expect((await gateway.call("GET", "/v1/products", { key: made.key })).status).toBe(200);
    expect((await gateway.call("DELETE", `/v1/keys/${made.id}`)).status).toBe(204);
    expect((await gateway.call("GET", "/v1/products", { key: made.key })).status).toBe(401);
    expect((await gateway.call("DELETE", "/v1/keys/none")).status).toBe(404);
  });

  it("allow a client the operations of its scopes and no others", async () => {
    const gateway = createTestGateway({ limiter: unlimitedRate });
    const reader = await create(gateway, { role: "server", scopes: ["people:read", "people:read"] });
    expect(reader.scopes).toEqual(["people:read"]);
    const { key } = reader;
    expect((await gateway.call("GET", "/v1/users", { key })).status).toBe(200);
    expect((await gateway.call("PUT", "/v1/users/ann", { key, body: {} })).status).toBe(403);
    expect((await gateway.call("GET", "/v1/keys", { key })).status).toBe(403);
    expect((await gateway.call("GET", "/v1/users", { key: "dev-server-key" })).status).toBe(403);
    for (const body of [
      { role: "admin", scopes: ["people:read"] },
      { role: "server", scopes: ["keys"] },
    ])
      expect((await gateway.call("POST", "/v1/keys", { body })).status).toBe(400);
  });
});

describe("key rotation", () => {
  const rotate = (gateway: ReturnType<typeof createTestGateway>, id: string, overlapSeconds?: number) =>
    gateway.call("POST", `/v1/keys/${id}/rotate`, { body: { overlapSeconds } });

  it("accepts both keys during the overlap, then the new one alone", async () => {
    const clock = { at: Date.now() };
    const gateway = createTestGateway({ limiter: unlimitedRate, now: () => clock.at });
    // A second gateway stands for another isolate, with a cache of its own.
    const elsewhere = createTestGateway({ limiter: unlimitedRate, now: () => clock.at });
    const ask = async (key: string) => [
      (await gateway.call("GET", "/v1/products", { key })).status,
      (await elsewhere.call("GET", "/v1/products", { key })).status,
    ];
    const old = await create(gateway, { role: "server", name: "shop", scopes: ["people:read"] });
    expect(await ask(old.key)).toEqual([200, 200]);

    const made = rotatedKey.parse(await (await rotate(gateway, old.id, 60)).json());
    expect(made).toMatchObject({ role: "server", name: "shop", scopes: ["people:read"], expiresAt: null });
    expect([made.id === old.id, made.key === old.key]).toEqual([false, false]);
    const list = await (await gateway.call("GET", "/v1/keys")).json<{ items: KeyRecord[] }>();
    const { expiresAt } = made.replaces;
    expect(list.items.find(({ id }) => id === old.id)).toMatchObject({ expiresAt, revokedAt: null });

    clock.at = Date.parse(expiresAt) - 1;
    expect(await ask(old.key)).toEqual([200, 200]);
    expect(await ask(made.key)).toEqual([200, 200]);
    clock.at += 1;
    expect(await ask(old.key)).toEqual([401, 401]);
    expect(await ask(made.key)).toEqual([200, 200]);
  });

  it("rotates a key once, also for two concurrent requests, and refuses revoked and unknown keys", async () => {
    const gateway = createTestGateway();
    const { id } = await create(gateway, { role: "server" });
    const statuses = (await Promise.all([rotate(gateway, id), rotate(gateway, id)])).map(
      ({ status }) => status,
    );
    expect(statuses.sort()).toEqual([201, 409]);
    const { results } = await testEnvironment.DB.prepare(
      "select id from api_keys where expires_at is not null and id = ?",
    )
      .bind(id)
      .all();
    expect(results).toHaveLength(1);

    const revoked = await create(gateway, { role: "server" });
    await gateway.call("DELETE", `/v1/keys/${revoked.id}`);
    expect((await rotate(gateway, revoked.id)).status).toBe(409);
    expect((await rotate(gateway, "none")).status).toBe(404);
    const other = await create(gateway, { role: "admin", application: "rotating" });
    expect((await rotate(gateway, other.id)).status).toBe(404);
  });

  it("refuses an overlap out of range, and defaults to one hour", async () => {
    const gateway = createTestGateway();
    const { id } = await create(gateway, { role: "server" });
    for (const overlap of [-1, 0.5, 7 * 86_400 + 1])
      expect((await rotate(gateway, id, overlap)).status).toBe(400);
    const { createdAt, replaces } = rotatedKey.parse(await (await rotate(gateway, id)).json());
    expect(Date.parse(replaces.expiresAt) - Date.parse(createdAt)).toBe(3_600_000);
  });
});

describe("the last use of a key", () => {
  it("is stored after the response, at most once an hour", async () => {
    const clock = { at: Date.now() };
    const store = new GatewayStore(testEnvironment.DB);
    const recorded: number[] = [];
    const recordUse = store.recordUse.bind(store);
    store.recordUse = (key, at, recordedBefore) => {
      recorded.push(at);
      return recordUse(key, at, recordedBefore);
    };
    const gateway = createTestGateway({ store, limiter: unlimitedRate, now: () => clock.at });
    const { id, key } = await create(gateway, { role: "server" });
    const lastUse = async () => {
      const { items } = await (await gateway.call("GET", "/v1/keys")).json<{ items: KeyRecord[] }>();
      return items.find((item) => item.id === id)?.lastUsedAt ?? null;
    };
    const use = async (minutes: number) => {
      clock.at += minutes * 60_000;
      const { status } = await gateway.call("GET", "/v1/products", { key });
      await Promise.all(gateway.pending);
      return status;
    };
    expect(await lastUse()).toBeNull();
    expect(await use(0)).toBe(200);
    const first = await lastUse();
    expect(Date.parse(first ?? "")).toBe(Math.floor(clock.at / 1000) * 1000);
    await use(1);
    await use(58);
    expect([await lastUse(), recorded.length]).toEqual([first, 1]);
    await use(1);
    expect(recorded).toHaveLength(2);
    expect(Date.parse((await lastUse()) ?? "") - Date.parse(first ?? "")).toBe(3_600_000);
  });

  it("does not fail the request where it cannot be stored", async () => {
    const store = new GatewayStore(testEnvironment.DB);
    store.recordUse = () => Promise.reject(new Error("no"));
    const failures: unknown[] = [];
    const runInBackground = (work: Promise<unknown>) =>
      void work.catch((error: unknown) => failures.push(error));
    const gateway = createTestGateway({ store, limiter: unlimitedRate, runInBackground });
    const { key } = await create(gateway, { role: "server" });
    expect((await gateway.call("GET", "/v1/products", { key })).status).toBe(200);
    expect(failures).toHaveLength(1);
  });
});

describe("a revoked key", () => {
  it("is refused in other isolates at once by scoped operations, within ten seconds by the others", async () => {
    const clock = { at: Date.now() };
    const gateway = createTestGateway();
    const elsewhere = createTestGateway({ limiter: unlimitedRate, now: () => clock.at });
    const { id, key } = await create(gateway, { role: "server", scopes: ["people:read"] });
    const ask = async (path: string) => {
      const { status } = await elsewhere.call("GET", path, { key });
      await Promise.all(elsewhere.pending);
      return status;
    };
    expect([await ask("/v1/products"), await ask("/v1/users")]).toEqual([200, 200]);
    await gateway.call("DELETE", `/v1/keys/${id}`);
    expect(await ask("/v1/products")).toBe(200);
    // The next request does not wait for the database, and the one after it knows of the revocation.
    clock.at += refreshMs;
    expect(await ask("/v1/products")).toBe(200);
    expect(await ask("/v1/products")).toBe(401);

    const another = await create(gateway, { role: "server", scopes: ["people:read"] });
    const askScoped = async () => (await elsewhere.call("GET", "/v1/users", { key: another.key })).status;
    expect(await askScoped()).toBe(200);
    await gateway.call("DELETE", `/v1/keys/${another.id}`);
    expect(await askScoped()).toBe(401);
    // The look-up of the scoped operation also replaced the cached key.
    expect((await elsewhere.call("GET", "/v1/products", { key: another.key })).status).toBe(401);
  });

  it("is refused by an isolate that was idle, at its first request", async () => {
    const clock = { at: Date.now() };
    const gateway = createTestGateway();
    const idle = createTestGateway({ limiter: unlimitedRate, now: () => clock.at });
    const { id, key } = await create(gateway, { role: "server" });
    expect((await idle.call("GET", "/v1/products", { key })).status).toBe(200);
    await gateway.call("DELETE", `/v1/keys/${id}`);
    clock.at += maxUnawaitedMs;
    expect((await idle.call("GET", "/v1/products", { key })).status).toBe(401);
  });
});

describe("a failing look-up of a key", () => {
  it("logs neither the key nor its hash", async () => {
    const made = await create(createTestGateway(), { role: "server" });
    const hash = await hashKey(made.key);
    const store = new GatewayStore(testEnvironment.DB);
    store.findKey = () =>
      Promise.reject(new Error(`Failed query: select * from api_keys\nparams: ${hash},${made.key}`));
    const lines: unknown[] = [];
    const log = vi.spyOn(console, "error").mockImplementation((line) => lines.push(line));
    const answer = await createTestGateway({ store }).call("GET", "/v1/products", { key: made.key });
    log.mockRestore();
    expect(answer.status).toBe(503);
    expect(lines).toHaveLength(1);
    for (const secret of [made.key, hash])
      expect(`${lines}${await answer.clone().text()}`).not.toContain(secret);
  });
});

describe("tokens", () => {
  it("give access to their own user only", async () => {
    const gateway = createTestGateway({ limiter: unlimitedRate });
    const answer = await gateway.call("POST", "/v1/tokens", { body: { userId: "ann" } });
    expect(answer.status).toBe(201);
    const { token: key } = await answer.json<{ token: string }>();
    const ask = (userId: string) => gateway.call("POST", "/v1/recommendations", { key, body: { userId } });
    expect((await ask("ann")).status).toBe(200);
    expect((await ask("bob")).status).toBe(403);
    expect((await gateway.call("GET", "/v1/users/ann/recommendations", { key })).status).toBe(200);
    expect((await gateway.call("GET", "/v1/users/bob/recommendations", { key })).status).toBe(403);
    const event = { eventId: "e", userId: "bob", type: "view", productId: "p" };
    expect((await gateway.call("POST", "/v1/events", { key, body: { events: [event] } })).status).toBe(403);
    const own = [{ ...event, userId: "ann" }];
    expect((await gateway.call("POST", "/v1/events", { key, body: { events: own } })).status).toBe(202);
    await gateway.call("PUT", "/v1/users/ann", { body: {} });
    expect((await gateway.call("GET", "/v1/users/ann", { key })).status).toBe(200);
    expect((await gateway.call("GET", "/v1/users/bob", { key })).status).toBe(403);
    expect((await gateway.call("PATCH", "/v1/users/ann", { key, body: {} })).status).toBe(403);
  });

  it("are refused where they are expired, forged or unsigned", async () => {
    const gateway = createTestGateway();
    const now = Math.floor(Date.now() / 1000);
    const good = await issueTestToken("eve");
    const [, payload] = good.split(".");
    const none = btoa(JSON.stringify({ alg: "none" })).replace(/=+$/, "");
    const bad = [
      await signTestToken({ userId: "eve", issuedAt: now - 7200 }),
      await signTestToken({ userId: " a" }),
      await signTestToken({ userId: "eve", application: "other", keyId: "dev-admin-key" }),
      `${none}.${payload}.`,
      `${good}x`,
      "..",
      "vic_short",
    ];
    expect((await gateway.call("GET", "/v1/products", { key: good })).status).toBe(200);
    for (const key of bad) expect((await gateway.call("GET", "/v1/products", { key })).status, key).toBe(401);
  });

  it("are neither issued nor accepted without a secret", async () => {
    const gateway = createTestGateway({ settings: { ...testSettings, tokenSecrets: [] } });
    expect((await gateway.call("POST", "/v1/tokens", { body: { userId: "eve" } })).status).toBe(503);
    expect((await gateway.call("GET", "/v1/products", { key: await issueTestToken("eve") })).status).toBe(
      401,
    );
  });

  it("are refused once the key that issued them is revoked", async () => {
    const gateway = createTestGateway();
    const issuer = await create(gateway, { role: "server", scopes: ["tokens:issue"] });
    const answer = await gateway.call("POST", "/v1/tokens", { key: issuer.key, body: { userId: "eve" } });
    const { token } = await answer.json<{ token: string }>();
    expect((await gateway.call("GET", "/v1/trending", { key: token })).status).toBe(200);
    expect((await gateway.call("DELETE", `/v1/keys/${issuer.id}`)).status).toBe(204);
    expect((await gateway.call("GET", "/v1/trending", { key: token })).status).toBe(401);
  });
});

describe("a request while the key store is down", () => {
  it("is answered with 503 instead of 401", async () => {
    const down = async (): Promise<never> => {
      throw new Error("D1_ERROR: down");
    };
    const store = Object.assign(new GatewayStore(testEnvironment.DB), {
      findKey: down,
      findIssuer: down,
      findChanges: down,
    });
    const gateway = createTestGateway({ store });
    const log = vi.spyOn(console, "error").mockReturnValue();
    const unknown = generateKey("server");
    const token = await signTestToken({ userId: "eve", keyId: "some-key" });
    for (const key of [unknown, token]) {
      const answer = await gateway.call("GET", "/v1/trending", { key });
      expect(answer.status).toBe(503);
      expect(answer.headers.get("retry-after")).toBe("1");
    }
    // Each look-up, and the read of the changed keys.
    expect(log).toHaveBeenCalledTimes(3);
    expect(JSON.stringify(log.mock.calls)).not.toContain(unknown);
    log.mockRestore();
  });
});
