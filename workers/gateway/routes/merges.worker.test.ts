import { describe, expect, it } from "vitest";
import type { KeyScope } from "../../../shared/contracts/credential.ts";
import type { Problem } from "../../../shared/contracts/problem.ts";
import { createTestGateway, issueTestToken, unlimitedRate } from "../testing/test-gateway.ts";

const gateway = createTestGateway({ limiter: unlimitedRate });

async function keyWith(scopes: readonly KeyScope[]): Promise<string> {
  const answer = await gateway.call("POST", "/v1/keys", { body: { role: "server", scopes } });
  return (await answer.json<{ key: string }>()).key;
}

const anonymous = (digit: string) => `anon-${digit.repeat(22)}`;

/** Merges a user into another one; into `ann` unless `into` is given. */
async function merge(
  key: string,
  from: string,
  { into = "ann", fromToken }: { into?: string; fromToken?: string } = {},
) {
  const answer = await gateway.call("POST", `/v1/users/${into}/merge`, { key, body: { from, fromToken } });
  return { status: answer.status, problem: await answer.json<Problem>() };
}

describe("POST /v1/users/{id}/merge by a key", () => {
  it("S1: is refused without `people:write`, whatever the other scopes and tokens are", async () => {
    const fromToken = await issueTestToken("bob");
    for (const scopes of [[], ["people:read", "locations:read", "tokens:issue"]] as const) {
      const key = await keyWith(scopes);
      for (const from of ["bob", anonymous("a")]) expect((await merge(key, from)).status).toBe(403);
      expect((await merge(key, "bob", { fromToken })).status).toBe(403);
    }
    expect((await merge("dev-server-key", anonymous("a"))).status).toBe(403);
    expect((await merge("dev-publishable-key", anonymous("a"))).status).toBe(403);
  });

  it("S1: with `people:write` takes an anonymous user into a known one, or a user whose token it holds", async () => {
    for (const scopes of [["people:write"], ["people:read", "people:write"]] as const) {
      const key = await keyWith(scopes);
      const refused = await merge(key, "bob");
      expect([refused.status, refused.problem.detail]).toEqual([403, expect.stringContaining("`fromToken`")]);
      // The key could start the session of the other user, and read the place of the first one with its token.
      for (const from of ["bob", anonymous("a")])
        expect((await merge(key, from, { into: anonymous("b") })).status).toBe(403);
      expect((await merge(key, anonymous("a"))).status).toBe(202);
      expect((await merge(key, "bob", { fromToken: await issueTestToken("bob") })).status).toBe(202);
      expect((await merge(key, "bob", { fromToken: await issueTestToken("cleo") })).status).toBe(403);
    }
  });

  it("S1: takes any two users if it may read and erase all of them", async () => {
    const key = await keyWith(["people:read", "locations:read", "people:write"]);
    for (const credential of [key, "dev-admin-key"]) {
      expect((await merge(credential, "bob")).status).toBe(202);
      expect((await merge(credential, anonymous("a"), { into: anonymous("b") })).status).toBe(202);
    }
  });
});
