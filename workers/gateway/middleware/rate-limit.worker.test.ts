import { describe, expect, it } from "vitest";
import { createdKey } from "../../../shared/contracts/credential.ts";
import { createTestGateway, issueTestToken } from "../testing/test-gateway.ts";

/** Allows each key a number of uses, and remembers who was counted. */
function countingLimiter(uses: number) {
  const counts = new Map<string, number>();
  const limit = async ({ key }: { key: string }) => {
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    return { success: count <= uses };
  };
  return { counts, limit };
}

async function clientKey(scopes: string[] = []) {
  const answer = await createTestGateway().call("POST", "/v1/keys", { body: { role: "client", scopes } });
  return createdKey.parse(await answer.json());
}

describe("the rate of requests", () => {
  it("is limited by the platform's own counter", async () => {
    const gateway = createTestGateway();
    const { key } = await clientKey();
    const statuses = [];
    for (let i = 0; i < 12; i++) statuses.push((await gateway.call("GET", "/v1/products", { key })).status);
    // Its window may turn once on the way.
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(1);
    expect(statuses.slice(0, 5)).toEqual(Array(5).fill(200));
  });

  it("is counted by key and by person, each for itself", async () => {
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

  it("is told by every answer to who is limited, and nothing is claimed of what remains", async () => {
    const gateway = createTestGateway({ limiter: countingLimiter(4) });
    const { key } = await clientKey();
    const answers = [
      await gateway.call("GET", "/v1/products", { key }),
      await gateway.call("GET", "/v1/products?colour=blue", { key }),
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
    const person = await gateway.call("GET", "/v1/trending", { key: await issueTestToken("told") });
    expect(person.headers.get("ratelimit-policy")).toBe('"person";q=1000;w=10');
  });

  it("is not limited for development keys and for what is public", async () => {
    const limiter = countingLimiter(0);
    const gateway = createTestGateway({ limiter });
    for (const key of ["dev-admin-key", "dev-client-key", ""]) {
      const answer = await gateway.call("GET", key === "" ? "/healthz" : "/v1/products", { key });
      expect(answer.status).toBe(200);
      expect(answer.headers.has("ratelimit-policy")).toBe(false);
    }
    expect(limiter.counts.size).toBe(0);
  });
});
