import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rateLimitBindings, rateLimitWorker } from "./local-rate-limit.ts";

/** A worker that answers whether a request is within the limit of the binding and key in its URL. */
const script = `
export default {
  async fetch(request, env) {
    const { searchParams } = new URL(request.url);
    return Response.json(await env[searchParams.get("binding")].limit({ key: searchParams.get("key") }));
  },
};`;
// The period is so long that no window ends during the test.
const limitOf = (namespace_id: string, limit: number) => ({
  namespace_id,
  simple: { limit, period: 100_000 },
});

describe("rateLimitBindings", () => {
  let runtime: Miniflare;
  beforeAll(async () => {
    const serviceBindings = rateLimitBindings({
      SMALL: limitOf("1", 2),
      SAME: limitOf("1", 2),
      OTHER: limitOf("2", 2),
    });
    const shop = { name: "shop", modules: true, compatibilityDate: "2026-11-01", script, serviceBindings };
    runtime = new Miniflare(convertV4MiniflareOptions({ workers: [shop, rateLimitWorker] }));
    await runtime.ready;
  }, 60_000);
  afterAll(() => runtime.dispose());

  const ask = async (binding: string, key: string): Promise<boolean> => {
    const answer = await runtime.dispatchFetch(`http://shop/?binding=${binding}&key=${key}`);
    return ((await answer.json()) as { success: boolean }).success;
  };

  it("allows as many calls as the limit says, for each key and namespace", async () => {
    expect([await ask("SMALL", "a"), await ask("SMALL", "a"), await ask("SMALL", "a")]).toEqual([
      true,
      true,
      false,
    ]);
    expect(await ask("SMALL", "b")).toBe(true);
    expect(await ask("OTHER", "a")).toBe(true);
  });

  it("counts together what two bindings of one namespace allow", async () => {
    expect([await ask("SMALL", "c"), await ask("SAME", "c"), await ask("SMALL", "c")]).toEqual([
      true,
      true,
      false,
    ]);
  });
});
