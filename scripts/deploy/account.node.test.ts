import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root, workers } from "../workers.ts";
import { Account } from "./account.ts";
import { readResources } from "./resources.ts";

/** An account in memory behind a fake of wrangler, whose commands print what the real commands print. */
function accountInMemory() {
  const resources = {
    d1: new Map<string, string>(),
    kv: new Map<string, string>(),
    r2: new Set(),
    queues: new Set(),
  };
  const calls: string[] = [];
  const success = (output = "") => ({ code: 0, output });
  const run = async (args: string[]) => {
    calls.push(args.join(" "));
    const [area, verb, third, fourth] = args;
    if (area === "d1" && verb === "list")
      return success(
        `Fetching ...\n${JSON.stringify([...resources.d1].map(([name, uuid]) => ({ name, uuid })))}`,
      );
    if (area === "d1" && verb === "create") resources.d1.set(third, `uuid-of-${third}`);
    if (area === "kv" && third === "list")
      return success(JSON.stringify([...resources.kv].map(([title, id]) => ({ title, id }))));
    if (area === "kv" && verb === "namespace" && third === "create")
      resources.kv.set(fourth, `id-of-${fourth}`);
    if (area === "r2" && third === "info") return { code: resources.r2.has(fourth) ? 0 : 1, output: "" };
    if (area === "r2" && third === "create") resources.r2.add(fourth);
    if (area === "queues" && verb === "info")
      return { code: resources.queues.has(third) ? 0 : 1, output: "" };
    if (area === "queues" && verb === "create") resources.queues.add(third);
    return success();
  };
  return { resources, calls, account: new Account(run) };
}

const allResources = workers.map(({ config }) => readResources(join(root, config)));

describe("Account", () => {
  it("creates each missing resource once and returns the account's ids", async () => {
    const { account, resources: created, calls } = accountInMemory();
    for (const resources of allResources) {
      const ids = await account.createMissingResources(resources);
      for (const { placeholder, name } of resources.databases)
        expect(ids.get(placeholder)).toBe(`uuid-of-${name}`);
      for (const { placeholder, name } of resources.namespaces)
        expect(ids.get(placeholder)).toBe(`id-of-${name}`);
    }
    expect([...created.d1.keys()].sort()).toEqual(
      ["gateway", "location", "product", "recommendation", "trainer", "user"].map(
        (name) => `vicinity-${name}`,
      ),
    );
    expect([...created.kv.keys()].sort()).toEqual(["vicinity-location-tiles", "vicinity-product-cards"]);
    expect(created.queues).toContain("vicinity-interactions-dead");
    const createCalls = calls.filter((call) => call.includes(" create ")).length;
    for (const resources of allResources) await account.createMissingResources(resources);
    expect(calls.filter((call) => call.includes(" create ")).length).toBe(createCalls);
  });

  it("lists the secrets that a worker lacks, and never takes a failure for a missing secret", async () => {
    const missing = (code: number, output: string) =>
      new Account(async () => ({ code, output })).missingSecrets("wrangler.toml", ["A_SECRET", "B_SECRET"]);
    expect(await missing(0, '[\n  { "name": "A_SECRET", "type": "secret_text" }\n]')).toEqual(["B_SECRET"]);
    expect(await missing(0, "[]")).toEqual(["A_SECRET", "B_SECRET"]);
    expect(await missing(1, 'Worker "vicinity-recommendation" not found.')).toEqual(["A_SECRET", "B_SECRET"]);
    await expect(missing(1, "A request to the Cloudflare API failed.")).rejects.toThrow("request");
    await expect(missing(0, "no list")).rejects.toThrow("no JSON list");
  });

  it("throws with wrangler's output when a command fails", async () => {
    const account = new Account(async () => ({ code: 1, output: "not logged in" }));
    await expect(account.createMissingResources(allResources[0])).rejects.toThrow("not logged in");
  });
});
