import { describe, expect, it, vi } from "vitest";
import { type CreatedKey, createdKey } from "../../../shared/contracts/credential.ts";
import { GatewayStore } from "../store.ts";
import { namespaceOf } from "../testing/copy-namespace.ts";
import { testEnvironment } from "../testing/test-environment.ts";
import { createTestGateway, issueTestToken, signTestToken, unlimitedRate } from "../testing/test-gateway.ts";
import { failurePolicy } from "./failed-lookups.ts";
import { generateKey } from "./key.ts";
import { KeyCopies } from "./key-copies.ts";

/** Creates a gateway that counts the database reads of keys. It finds no copies of keys in KV. */
function countingGateway(overrides: Parameters<typeof createTestGateway>[0] = {}) {
  const clock = { at: Date.now() };
  const store = new GatewayStore(testEnvironment.DB);
  const reads = { keys: 0, issuers: 0 };
  const findKey = store.findKey.bind(store);
  store.findKey = (hash) => {
    reads.keys++;
    return findKey(hash);
  };
  const findIssuer = store.findIssuer.bind(store);
  store.findIssuer = (...key) => {
    reads.issuers++;
    return findIssuer(...key);
  };
  const gateway = createTestGateway({
    ...{ store, limiter: unlimitedRate, now: () => clock.at },
    copies: new KeyCopies(namespaceOf(new Map())),
    ...overrides,
  });
  const ask = async (key: string, address = "192.0.2.7") =>
    (await gateway.call("GET", "/v1/products", { key, headers: { "cf-connecting-ip": address } })).status;
  return { gateway, clock, reads, ask };
}
const createKey = async (): Promise<CreatedKey> =>
  createdKey.parse(
    await (await createTestGateway().call("POST", "/v1/keys", { body: { role: "server" } })).json(),
  );

describe("credentials of strangers", () => {
  it("S14: cause no look-up where they are garbage", async () => {
    const { ask, reads } = countingGateway();
    const key = generateKey("server");
    const garbage = [
      `${key.slice(0, -1)}${key.endsWith("A") ? "B" : "A"}`,
      `vic_${"a".repeat(43)}`,
      `vic_server_${"a".repeat(49)}`,
      "nobody",
      await signTestToken({ issuedAt: 1 }),
      `${await issueTestToken("x")}x`,
    ];
    for (let i = 0; i < 50; i++) for (const text of garbage) expect(await ask(text)).toBe(401);
    expect(reads).toEqual({ keys: 0, issuers: 0 });
  });

  it("S14: cause at most a bounded number of look-ups, and push no valid key out", async () => {
    const { ask, reads, clock } = countingGateway();
    const [known, later] = [await createKey(), await createKey()];
    expect(await ask(known.key)).toBe(200);
    const token = await issueTestToken("x");
    const statuses = new Map<number, number>();
    for (let i = 0; i < 2_000; i++) {
      const status = await ask(generateKey(i % 2 ? "server" : "admin"));
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    expect(Object.fromEntries(statuses)).toEqual({
      401: failurePolicy.requests,
      429: 2_000 - failurePolicy.requests,
    });
    expect(reads.keys).toBe(1 + failurePolicy.requests);

    // A known key and a verified token still work from the address, and an unknown key that is valid elsewhere.
    expect([await ask(known.key), await ask(token)]).toEqual([200, 200]);
    expect(reads.keys).toBe(1 + failurePolicy.requests);
    clock.at += 5_000;
    expect(await ask(known.key)).toBe(200);
    expect(await ask(later.key)).toBe(429);
    expect(await ask(later.key, "192.0.2.8")).toBe(200);
    expect(await ask(later.key)).toBe(200);

    const { headers } = await countingRefusal(ask);
    expect(headers.get("retry-after")).toBe(String(failurePolicy.seconds));
    clock.at += failurePolicy.seconds * 1000;
    expect(await ask((await createKey()).key)).toBe(200);
  });

  it("S14: are bounded while their look-ups run at the same time", async () => {
    const { ask, reads } = countingGateway();
    const { key } = await createKey();
    const unknown = Array.from({ length: 300 }, () => generateKey("server"));
    const statuses = await Promise.all([...Array(20).fill(key), ...unknown].map((each) => ask(each)));
    expect(statuses.slice(0, 20)).toEqual(Array(20).fill(200));
    expect(reads.keys).toBeLessThanOrEqual(20 + failurePolicy.requests);
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(failurePolicy.requests);
  });

  it("S14: count for at most two minutes where their requests are canceled during the look-up", async () => {
    const store = new GatewayStore(testEnvironment.DB);
    const findKey = store.findKey.bind(store);
    let isHanging = true;
    store.findKey = (hash) => (isHanging ? new Promise(() => undefined) : findKey(hash));
    const { ask, clock } = countingGateway({ store });
    for (let i = 0; i < failurePolicy.requests; i++) void ask(generateKey("server"));
    const { key } = await createKey();
    isHanging = false;
    expect(await ask(key)).toBe(429);
    clock.at += 2 * failurePolicy.seconds * 1000;
    expect(await ask(key)).toBe(200);
  });

  it("S14: leave no key unknown that could not be looked up", async () => {
    const store = new GatewayStore(testEnvironment.DB);
    const [findKey, findIssuer] = [store.findKey.bind(store), store.findIssuer.bind(store)];
    let isDown = true;
    const down = () => Promise.reject(new Error("D1_ERROR: the database is down"));
    store.findKey = (hash) => (isDown ? down() : findKey(hash));
    store.findIssuer = (...key) => (isDown ? down() : findIssuer(...key));
    const { ask } = countingGateway({ store });
    const other = await createKey();
    const token = await signTestToken({ keyId: other.id });
    const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
    expect([await ask(other.key), await ask(token)]).toEqual([503, 503]);
    for (let i = 0; i < failurePolicy.requests; i++) expect(await ask(generateKey("server"))).toBe(503);
    isDown = false;
    logged.mockRestore();
    for (const text of [other.key, token]) expect(await ask(text)).toBe(200);
  });

  it("S14: are looked up once where the same unknown or revoked key is sent again, by any operation", async () => {
    const { gateway, reads } = countingGateway();
    const key = generateKey("admin");
    for (let i = 0; i < 10; i++)
      for (const path of ["/v1/products", "/v1/keys", "/v1/users"])
        expect((await gateway.call("GET", path, { key })).status).toBe(401);
    expect(reads.keys).toBe(1);
  });

  it("S14: are bounded for all isolates of a location by the binding", async () => {
    let failures = 0;
    const failureLimiter = { limit: async () => ({ success: ++failures <= failurePolicy.requests }) };
    const isolates = Array.from({ length: 10 }, () => countingGateway({ failureLimiter }));
    for (let i = 0; i < 50; i++) for (const { ask } of isolates) await ask(generateKey("server"));
    const total = isolates.reduce((sum, { reads }) => sum + reads.keys, 0);
    expect(total).toBeLessThanOrEqual(failurePolicy.requests + isolates.length);
  });
});

describe("the limit of a client address", () => {
  it("S14: applies before any credential is looked at, and not to this machine", async () => {
    const counted: string[] = [];
    const addressLimiter = {
      limit: async ({ key }: { key: string }) => {
        counted.push(key);
        return { success: counted.filter((each) => each === key).length <= 3 };
      },
    };
    const { ask, reads, gateway } = countingGateway({ addressLimiter });
    for (let i = 0; i < 3; i++) expect(await ask("nobody")).toBe(401);
    const { key } = await createKey();
    expect([await ask(key), await ask("nobody"), await ask("dev-admin-key")]).toEqual([429, 429, 429]);
    expect(reads.keys).toBe(0);
    expect(await ask(key, "2001:db8::1")).toBe(200);
    expect(new Set(counted)).toEqual(new Set(["192.0.2.7", "2001:db8:0:0::/64"]));
    for (let i = 0; i < 5; i++) expect((await gateway.call("GET", "/v1/products")).status).toBe(200);
  });
});

/** Returns a refusal of an address that presented too many unknown keys. */
async function countingRefusal(ask: (key: string) => Promise<number>): Promise<Response> {
  const { gateway } = countingGateway();
  expect(await ask(generateKey("server"))).toBe(429);
  for (let i = 0; ; i++) {
    const answer = await gateway.call("GET", "/v1/products", {
      key: generateKey("server"),
      headers: { "cf-connecting-ip": "192.0.2.9" },
    });
    if (answer.status === 429 || i > 100) return answer;
  }
}
