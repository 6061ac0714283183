import { describe, expect, it } from "vitest";
import { createdKey } from "../../../shared/contracts/credential.ts";
import { countingLimiter } from "../testing/counting-limiter.ts";
import { createTestGateway, issueSessionToken, issueTestToken } from "../testing/test-gateway.ts";

async function clientKey(scopes: string[] = []) {
  const answer = await createTestGateway().call("POST", "/v1/keys", { body: { role: "server", scopes } });
  return createdKey.parse(await answer.json());
}

describe("limitRate", () => {
  it("limits requests by the rate limit binding", async () => {
    const gateway = createTestGateway();
    const { key } = await clientKey();
    const statuses = [];
    for (let i = 0; i < 12; i++) statuses.push((await gateway.call("GET", "/v1/products", { key })).status);
    // A new period may begin once during the loop.
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(1);
    expect(statuses.slice(0, 5)).toEqual(Array(5).fill(200));
  });

  it("counts each key and each user separately", async () => {
    const limiter = countingLimiter(2);
    const gateway = createTestGateway({ limiter });
    const [one, two] = [await clientKey(), await clientKey()];
    const [ann, annAgain, bob] = [
      await issueTestToken("limited-ann"),
      await issueTestToken("limited-ann"),
      await issueTestToken("b"),
    ];
    const ask = async (key: string) => (await gateway.call("GET", "/v1/trending", { key })).status;
    expect([await ask(one.key), await ask(one.key), await ask(one.key)]).toEqual([200, 200, 429]);
    expect(await ask(two.key)).toBe(200);
    expect([await ask(ann), await ask(annAgain), await ask(ann)]).toEqual([200, 200, 429]);
    expect(await ask(bob)).toBe(200);
    expect([...limiter.counts.keys()]).toEqual([
      `demo/key/${one.id}`,
      `demo/key/${two.id}`,
      "demo/person/limited-ann",
      "demo/person/b",
    ]);
  });

  it("counts each user of a batch as a request, of the key and of the application", async () => {
    const [limiter, applicationLimiter] = [countingLimiter(5), countingLimiter(100)];
    const gateway = createTestGateway({ limiter, applicationLimiter });
    const { key, id } = await clientKey();
    const ask = async (...userIds: string[]) =>
      (await gateway.call("POST", "/v1/recommendations/batch", { key, body: { userIds } })).status;
    expect(await ask("a", "b", "c")).toBe(200);
    expect([limiter.counts.get(`demo/key/${id}`), applicationLimiter.counts.get("demo")]).toEqual([3, 3]);
    expect(await ask("a", "b", "c")).toBe(429);
  });

  it("states the policy on every response to a limited caller, and the remaining requests on a 429 alone", async () => {
    const gateway = createTestGateway({ limiter: countingLimiter(4) });
    const { key } = await clientKey();
    const answers = [
      await gateway.call("GET", "/v1/products", { key }),
      await gateway.call("GET", "/v1/products?color=blue", { key }),
      await gateway.call("GET", "/v1/products/none", { key }),
      await gateway.call("GET", "/v1/keys", { key }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 400, 404, 403]);
    for (const { headers } of answers) {
      expect(headers.get("ratelimit-policy")).toBe('"key";q=1000;w=10');
      expect(headers.has("ratelimit")).toBe(false);
    }
    const refused = await gateway.call("GET", "/v1/products", { key });
    expect(refused.status).toBe(429);
    expect(Object.fromEntries(refused.headers)).toMatchObject({
      "ratelimit-policy": '"key";q=1000;w=10',
      ratelimit: '"key";r=0;t=10',
      "retry-after": "10",
    });
    const ofToken = await gateway.call("GET", "/v1/trending", { key: await issueTestToken("limited-user") });
    expect(ofToken.headers.get("ratelimit-policy")).toBe('"person";q=1000;w=10');
  });

  it("does not limit development keys and public paths", async () => {
    const limiter = countingLimiter(0);
    const gateway = createTestGateway({ limiter });
    for (const key of ["dev-admin-key", "dev-server-key", ""]) {
      const answer = await gateway.call("GET", key === "" ? "/healthz" : "/v1/products", { key });
      expect(answer.status).toBe(200);
      expect(answer.headers.has("ratelimit-policy")).toBe(false);
    }
    expect(limiter.counts.size).toBe(0);
  });
});

describe("limitApplication", () => {
  it("limits the secret keys of an application together, and leaves another application alone", async () => {
    const applicationLimiter = countingLimiter(3);
    const gateway = createTestGateway({ limiter: countingLimiter(100), applicationLimiter });
    const createKey = async (application: string) =>
      createdKey.parse(
        await (await gateway.call("POST", "/v1/keys", { body: { application, role: "server" } })).json(),
      ).key;
    const [one, two, other] = [
      await createKey("flooding"),
      await createKey("flooding"),
      await createKey("quiet"),
    ];
    const ask = async (key: string) => gateway.call("GET", "/v1/trending", { key });
    const statuses = [];
    for (const key of [one, two, one, two, one]) statuses.push((await ask(key)).status);
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
    expect((await ask(other)).status).toBe(200);
    const refused = await ask(one);
    expect(Object.fromEntries(refused.headers)).toMatchObject({
      ratelimit: '"application";r=0;t=10',
      "retry-after": "10",
    });
    expect(await refused.text()).not.toContain("flooding");
    expect([...applicationLimiter.counts.keys()]).toEqual(["flooding", "quiet"]);
  });

  it("S13: never lets publishable keys and tokens use up what server and admin keys may send", async () => {
    const applicationLimiter = countingLimiter(4);
    const gateway = createTestGateway({ limiter: countingLimiter(100), applicationLimiter });
    const create = async (role: string) =>
      createdKey.parse(await (await gateway.call("POST", "/v1/keys", { body: { role } })).json()).key;
    const publicCredentials = [
      await create("publishable"),
      await issueSessionToken("anon-flood"),
      await issueTestToken("signed-in"),
    ];
    const secretKeys = [await create("server"), await create("admin")];
    const ask = async (key: string) => gateway.call("GET", "/v1/trending", { key });
    const statuses = [];
    for (let i = 0; i < 6; i++) statuses.push((await ask(publicCredentials[i % 3] ?? "")).status);
    expect(statuses).toEqual([200, 200, 200, 200, 429, 429]);
    for (const key of secretKeys) expect((await ask(key)).status).toBe(200);
    for (const key of publicCredentials) {
      const refused = await ask(key);
      expect(refused.status).toBe(429);
      expect(await refused.text()).toContain("publishable keys and users");
    }
    expect([...applicationLimiter.counts.keys()]).toEqual(["demo/public", "demo"]);
  });
});
