import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { identifierProblem } from "../../shared/contracts/identifier.ts";
import { productColumnChanges } from "./rows.ts";
import { ProductStore } from "./store.ts";
import { environment, migrate, sampleProduct } from "./testing/environment.ts";

const store = new ProductStore(environment.DB);

beforeAll(migrate);

describe("ProductStore", () => {
  it("increments the version with each write, also across deletions", async () => {
    const versionOf = async () => (await store.read("versions", ["a"]))[0]?.row.version;
    await store.upsert("versions", [sampleProduct({ id: "a" })], 1);
    await store.patch("versions", "a", { priceMinor: 100 }, 2);
    expect(await store.remove("versions", "a", 3)).toBe(true);
    expect(await store.remove("versions", "a", 3)).toBe(false);
    expect(await store.patch("versions", "a", { priceMinor: 100 }, 4)).toBe(false);
    expect(await versionOf()).toBe(3);
    await store.upsert("versions", [sampleProduct({ id: "a" })], 5);
    expect(await versionOf()).toBe(4);
  });

  it("keeps the columns of concurrent patches", async () => {
    await store.upsert("patches", [sampleProduct({ id: "a" })], 1);
    await Promise.all([
      store.patch("patches", "a", { priceMinor: 700, currency: "NOK" }, 2),
      store.patch("patches", "a", productColumnChanges("a", { available: false }), 2),
      store.patch("patches", "a", productColumnChanges("a", { attributes: { color: "red" } }), 2),
    ]);
    const [{ row }] = await store.read("patches", ["a"]);
    expect(row).toMatchObject({
      version: 4,
      priceMinor: 700,
      currency: "NOK",
      available: 0,
      attributes: { color: "red" },
      title: "Thing",
    });
  });

  it("reads every product as it was written", async () => {
    const written = fc.record({
      id: fc
        .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
        .filter((text) => identifierProblem(text) === null),
      // SQLite ends a text at NUL, so titles contain none.
      title: fc
        .string({ unit: "grapheme", minLength: 1, maxLength: 60 })
        .filter((text) => !text.includes("\0")),
      price: fc.option(fc.integer({ min: 0, max: 1e11 }).map((cents) => cents / 100)),
      groupId: fc.option(fc.constantFrom("shirt-7", "shop~2")),
      discount: fc.double({ min: 0, max: 1, noNaN: true }),
      available: fc.boolean(),
      attributes: fc.dictionary(
        fc.stringMatching(/^[a-z_]{1,10}$/),
        fc.oneof(fc.string({ unit: "grapheme" }), fc.integer(), fc.boolean(), fc.constant(null)),
      ),
    });
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(written, { selector: ({ id }) => id, maxLength: 5 }), async (list) => {
        const application = `back-${runs++}`;
        const inputs = list.map((each) => sampleProduct(each));
        await store.upsert(application, inputs, 1);
        const read = await store.read(
          application,
          inputs.map(({ id }) => id),
        );
        const byId = new Map(read.map(({ row }) => [row.productId, row]));
        for (const { id, title, price, discount, available, groupId, attributes } of inputs)
          expect(byId.get(id)).toMatchObject({
            title,
            priceMinor: price === null ? null : Math.round(price * 100),
            groupId,
            discount,
            available: available ? 1 : 0,
            attributes,
          });
      }),
      { numRuns: 40 },
    );
  });

  it("claims open outbox rows once, and again if they stay open", async () => {
    await environment.DB.prepare("DELETE FROM outbox").run();
    await store.upsert("claims", [sampleProduct({ id: "a" }), sampleProduct({ id: "b" })], 100);
    expect(await store.claimOutbox("claims", 70, 100, 10)).toHaveLength(2);
    expect(await store.claimOutbox("claims", 80, 110, 10)).toHaveLength(0);
    expect(await store.claimOutbox("claims", 101, 131, 10)).toHaveLength(2);
    await store.closeOutbox("claims", [
      { productId: "a", version: 1 },
      { productId: "b", version: 0 },
    ]);
    expect((await store.readPending("claims", ["a", "b"])).map(({ row }) => row.productId)).toEqual(["b"]);
    expect(await store.countOpenOutbox("claims", 10)).toBe(1);
    expect(await store.countOpenOutbox("other", 10)).toBe(0);
  });

  it("does not read or change another application", async () => {
    await store.upsert("mine", [sampleProduct({ id: "a", category: "toys" })], 1);
    expect(await store.read("theirs", ["a"])).toEqual([]);
    expect(await store.list("theirs", 10, null, "toys")).toEqual([]);
    expect(await store.patch("theirs", "a", { priceMinor: 100 }, 1)).toBe(false);
    expect(await store.remove("theirs", "a", 1)).toBe(false);
    await store.closeOutbox("theirs", [{ productId: "a", version: 9 }]);
    expect(await store.readPending("mine", ["a"])).toHaveLength(1);
  });
});
