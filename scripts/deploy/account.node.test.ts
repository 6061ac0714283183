import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root, workers } from "../workers.ts";
import { Account } from "./account.ts";
import { readResources } from "./resources.ts";

/** Wrangler's commands over an account in memory: what each prints is what the real ones print. */
function accountInMemory() {
  const held = {
    d1: new Map<string, string>(),
    kv: new Map<string, string>(),
    r2: new Set(),
    queues: new Set(),
  };
  const calls: string[] = [];
  const done = (output = "") => ({ code: 0, output });
  const run = async (args: string[]) => {
    calls.push(args.join(" "));
    const [area, verb, third, fourth] = args;
    if (area === "d1" && verb === "list")
      return done(`Fetching ...\n${JSON.stringify([...held.d1].map(([name, uuid]) => ({ name, uuid })))}`);
    if (area === "d1" && verb === "create") held.d1.set(third, `uuid-of-${third}`);
    if (area === "kv" && third === "list")
      return done(JSON.stringify([...held.kv].map(([title, id]) => ({ title, id }))));
    if (area === "kv" && verb === "namespace" && third === "create") held.kv.set(fourth, `id-of-${fourth}`);
    if (area === "r2" && third === "info") return { code: held.r2.has(fourth) ? 0 : 1, output: "" };
    if (area === "r2" && third === "create") held.r2.add(fourth);
    if (area === "queues" && verb === "info") return { code: held.queues.has(third) ? 0 : 1, output: "" };
    if (area === "queues" && verb === "create") held.queues.add(third);
    return done();
  };
  return { held, calls, account: new Account(run) };
}

const all = workers.map(({ config }) => readResources(join(root, config)));

describe("deployment", () => {
  it("creates what the configurations name, once, and answers the account's ids", async () => {
    const { account, held, calls } = accountInMemory();
    for (const resources of all) {
      const ids = await account.createMissingResources(resources);
      for (const { placeholder, name } of resources.databases)
        expect(ids.get(placeholder)).toBe(`uuid-of-${name}`);
      for (const { placeholder, name } of resources.namespaces)
        expect(ids.get(placeholder)).toBe(`id-of-${name}`);
    }
    expect([...held.d1.keys()].sort()).toEqual(
      ["gateway", "location", "product", "recommendation", "user"].map((name) => `vicinity-${name}`),
    );
    expect([...held.kv.keys()].sort()).toEqual(["vicinity-location-tiles", "vicinity-product-cards"]);
    expect(held.queues).toContain("vicinity-interactions-dead");
    const first = calls.filter((call) => call.includes(" create ")).length;
    for (const resources of all) await account.createMissingResources(resources);
    expect(calls.filter((call) => call.includes(" create ")).length).toBe(first);
  });

  it("stops with what wrangler said where a command fails", async () => {
    const account = new Account(async () => ({ code: 1, output: "not logged in" }));
    await expect(account.createMissingResources(all[0])).rejects.toThrow("not logged in");
  });
});
