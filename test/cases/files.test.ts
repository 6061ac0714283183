import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ReadOptions } from "../../model/data/read-files.ts";
import { loadMarketplace } from "../../scripts/marketplace/load-marketplace.ts";
import { readMarketplace } from "../../scripts/marketplace/read-marketplace.ts";
import { TestStack } from "../support/test-stack.ts";

const stack = new TestStack();
const scratch = mkdtempSync(join(tmpdir(), "vicinity-files-"));
beforeAll(() => stack.start());
afterAll(async () => {
  await stack.stop();
  rmSync(scratch, { recursive: true, force: true });
});

const header = "user_id:token\titem_id:token\ttimestamp:float";
/** Time of the first row: three days ago. */
const start = Math.floor(Date.now() / 1000) - 3 * 86_400;

/** Imports files as `npm run import` does, and returns the report of the events. */
async function importFiles(files: Record<string, string>, options: ReadOptions = {}) {
  const folder = mkdtempSync(join(scratch, "data-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const { marketplace } = readMarketplace(folder, Date.now() / 1000, "old", {
    needsEvents: false,
    ...options,
  });
  const target = { url: stack.url.replace(/\/$/, ""), key: "dev-admin-key" };
  const { events } = await loadMarketplace(marketplace, target, () => undefined);
  return [events.accepted, events.duplicates, events.rejected];
}

/** Returns the product and time of each interaction of a user, oldest first. */
async function interactionsOf(userId: string): Promise<string[]> {
  const { body } = await stack.call<{ items: { productId: string; timestamp: string }[] }>(
    "GET",
    `/v1/users/${encodeURIComponent(userId)}/interactions?limit=500`,
  );
  return body.items
    .map(({ productId, timestamp }) => `${productId} ${Date.parse(timestamp) / 1000 - start}`)
    .reverse();
}

describe("imported files, through all workers", () => {
  it("files/hist1, files/hist2: overlapping exports add exactly what is new, and equal rows count separately", async () => {
    const rows = [0, 60, 120, 120].map((at) => `ann\tp${at}\t${start + at}`);
    expect(await importFiles({ "hist.inter": [header, ...rows].join("\n") })).toEqual([4, 0, 0]);
    const newer = [`ann\tnew\t${start - 60}`, ...rows.slice(1), `ann\tp180\t${start + 180}`];
    expect(await importFiles({ "other.inter": [header, ...newer].join("\n") })).toEqual([2, 3, 0]);
    expect(await interactionsOf("ann")).toEqual([
      "new -60",
      "p0 0",
      "p60 60",
      "p120 120",
      "p120 120",
      "p180 180",
    ]);
  });

  it("files: imports a user with 10,500 events", async () => {
    const rows = Array.from({ length: 10_500 }, (_, i) => `busy\tp${i % 20}\t${start + i}`);
    expect(await importFiles({ "busy.inter": [header, ...rows].join("\n") })).toEqual([10_500, 0, 0]);
  });

  it("files/csv: keeps texts, blanks and wrong values apart in stored products", async () => {
    await importFiles({
      "products.csv":
        "\uFEFFid;title;category;price;currency;lat;lon;code\r\n7;1e5;0x10;19.95;EUR;48.8;2.3;12345678901234567890\r\n8; ;cafe;$3; ; ; ;007\r\n",
    });
    const find = async (id: string) => (await stack.call("GET", `/v1/products/${id}`)).body;
    expect(await find("7")).toMatchObject({
      title: "1e5",
      category: "0x10",
      price: 19.95,
      location: { lat: 48.8, lon: 2.3 },
      attributes: { code: "12345678901234567890" },
    });
    expect(await find("8")).toMatchObject({
      title: "cafe 8",
      price: null,
      location: null,
      attributes: { code: "007" },
    });
  });

  it("files: a failed import says why, and can be run again", async () => {
    const folder = mkdtempSync(join(scratch, "data-"));
    writeFileSync(join(folder, "again.inter"), `${header}\neve\tp\t${start}`);
    const { marketplace } = readMarketplace(folder, Date.now() / 1000, "keep");
    const target = { url: stack.url.replace(/\/$/, ""), key: "dev-admin-key" };
    const [event] = marketplace.events;
    const broken = { ...marketplace, events: [{ ...event, productId: ".." }] };
    await expect(loadMarketplace(broken, target, () => undefined)).rejects.toThrow(
      "accepted none of 1 events",
    );
    const imports = async () =>
      (await stack.call<{ items: { name: string }[] }>("GET", "/v1/imports")).body.items.find(
        ({ name }) => name === "again",
      );
    expect(await imports()).toMatchObject({
      status: "failed",
      reason: expect.stringContaining("accepted none"),
    });
    expect((await stack.call("GET", "/readyz", { key: "" })).status).toBe(200);
    await loadMarketplace(marketplace, target, () => undefined);
    expect(await imports()).toMatchObject({ status: "done", reason: null });
  });
});
