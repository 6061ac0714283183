import { describe, expect, it } from "vitest";
import type { KeyScope } from "../../../shared/contracts/credential.ts";
import type { Problem } from "../../../shared/contracts/problem.ts";
import { createTestGateway, issueTestToken } from "../testing/test-gateway.ts";

const gateway = createTestGateway();

async function keyWith(scopes: readonly KeyScope[]): Promise<string> {
  const answer = await gateway.call("POST", "/v1/keys", { body: { role: "server", scopes } });
  return (await answer.json<{ key: string }>()).key;
}

const merge = async (key: string, from: string, fromToken?: string) => {
  const answer = await gateway.call("POST", "/v1/users/ann/merge", {
    key,
    body: { from, fromToken },
  });
  return { status: answer.status, problem: await answer.json<Problem>() };
};

const anonymous = `anon-${"a".repeat(22)}`;

describe("POST /v1/users/{id}/merge by a key", () => {
  it("S1: takes a known user only with the scopes to read and erase every user, or with the user's token", async () => {
    for (const scopes of [[], ["people:write"], ["people:read", "people:write"]] as const) {
      const key = await keyWith(scopes);
      const refused = await merge(key, "bob");
      expect([refused.status, refused.problem.detail]).toEqual([403, expect.stringContaining("`fromToken`")]);
      expect((await merge(key, anonymous)).status).toBe(202);
      expect((await merge(key, "bob", await issueTestToken("bob"))).status).toBe(202);
      expect((await merge(key, "bob", await issueTestToken("cleo"))).status).toBe(403);
    }
    const key = await keyWith(["people:read", "locations:read", "people:write"]);
    expect((await merge(key, "bob")).status).toBe(202);
    expect((await merge("dev-admin-key", "bob")).status).toBe(202);
  });
});
