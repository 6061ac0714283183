/// <reference types="@cloudflare/vitest-plugin/types" />
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import type { ProductChange } from "../../shared/contracts/product.ts";
import { ok, type Result, unwrap } from "../../shared/contracts/result.ts";
import { CardCache } from "./card-cache.ts";
import { applyCatalogMessage } from "./catalog-consumer.ts";
import { publishSchema } from "./publish-schema.ts";
import { SchemaStore } from "./schema-store.ts";
import { ProductService } from "./service.ts";
import { ProductStore } from "./store.ts";
import { environment, migrate, sampleProduct } from "./testing/environment.ts";

const store = new ProductStore(environment.DB);
const schemas = new SchemaStore(environment.DB);
const context = createExecutionContext();
const service = new ProductService(context, environment);

beforeAll(migrate);

/** A spatial index that keeps the columns of the newest version of each product. */
class InMemoryIndex {
  readonly columns = new Map<string, ProductChange["columns"]>();
  readonly #versions = new Map<string, number>();

  async applyProductChanges(_: string, changes: ProductChange[]): Promise<Result<{ applied: number }>> {
    for (const { productId, version, columns } of changes)
      if (version > (this.#versions.get(productId) ?? 0)) {
        this.#versions.set(productId, version);
        this.columns.set(productId, columns);
      }
    return ok({ applied: changes.length });
  }
}

/** Sends all open products of an application to an index. */
async function deliver(application: string, index: InMemoryIndex): Promise<number> {
  const productIds = await store.claimOutbox(application, 1e12, 1e12, 1000);
  const cards = new CardCache(environment.CARDS, store);
  if (productIds.length > 0) await applyCatalogMessage({ application, productIds }, store, cards, index);
  return productIds.length;
}

const color = { type: "string", filterable: true } as const;

describe("the schema of a catalog", () => {
  it("is empty at first, and tells what was declared", async () => {
    expect(unwrap(await service.getSchema("new"), "the product service")).toEqual({
      version: 0,
      attributes: {},
      publication: { status: "done", checked: 0, published: 0 },
      updatedAt: null,
    });
    const attributes = { color, size: { type: "number", filterable: false } } as const;
    const put = unwrap(await service.putSchema("new", { attributes }), "the product service");
    expect(put).toMatchObject({ version: 1, attributes });
    await waitOnExecutionContext(context);
    expect(unwrap(await service.getSchema("new"), "the product service").publication.status).toBe("done");
  });

  it("refuses values of another type, one product or line at a time", async () => {
    await schemas.replace("typed", { color, since: { type: "time", filterable: true } }, 1);
    const of = (id: string, attributes: Record<string, string | number | null>) =>
      sampleProduct({ id, attributes });
    expect(await service.put("typed", of("a", { color: 7 }))).toMatchObject({
      ok: false,
      error: { code: "invalid_input", issues: [{ path: "attributes.color" }] },
    });
    expect((await service.put("typed", of("a", { color: null, other: 7 }))).ok).toBe(true);
    expect(await service.patch("typed", "a", { attributes: { since: "tomorrow" } })).toMatchObject({
      ok: false,
      error: { issues: [{ path: "attributes.since" }] },
    });
    const bulk = [
      of("b", { color: "red" }),
      of("c", { color: 1 }),
      of("d", { since: "2026-01-31T12:00:00Z" }),
    ];
    expect(unwrap(await service.putMany("typed", bulk), "the product service")).toMatchObject({
      written: 2,
      rejected: [{ index: 1, path: "attributes.color" }],
    });
  });

  it("publishes changed columns of stored products by a job that may end after any step", async () => {
    const index = new InMemoryIndex();
    const ids = Array.from({ length: 7 }, (_, i) => `p${i}`);
    await store.upsert(
      "job",
      ids.map((id, i) =>
        sampleProduct({ id, attributes: i === 3 ? {} : { color: i === 5 ? 5 : `c${i}`, kept: true } }),
      ),
      1,
    );
    expect(await deliver("job", index)).toBe(7);
    expect([...index.columns.values()].every((columns) => columns?.length === 0)).toBe(true);
    await schemas.replace("job", { color }, 2);
    // Each call runs one step of three products, as if the worker had died after it.
    for (let step = 1; step <= 3; step++) expect(await publishSchema(schemas, "job", 1, 3)).toBe(step === 3);
    expect(unwrap(await service.getSchema("job"), "the product service").publication).toEqual({
      status: "done",
      checked: 7,
      published: 6,
    });
    // The product without the attribute is not sent again.
    expect(await deliver("job", index)).toBe(6);
    expect(index.columns.get("p0")).toEqual([{ name: "attributes.color", type: "string", value: "c0" }]);
    // A stored value that does not fit has no column.
    expect(index.columns.get("p5")).toEqual([]);
    await schemas.replace("job", { kept: { type: "boolean", filterable: true } }, 3);
    expect(await publishSchema(schemas, "job", 9, 3)).toBe(true);
    await deliver("job", index);
    expect(index.columns.get("p0")).toEqual([{ name: "attributes.kept", type: "boolean", value: true }]);
  });

  it("publishes what an unfinished job has not, when the schema changes again", async () => {
    const index = new InMemoryIndex();
    const products = ["a", "b"].map((id) => sampleProduct({ id, attributes: { color: "red", size: 4 } }));
    await store.upsert("twice", products, 1);
    await schemas.replace("twice", { color }, 2);
    await publishSchema(schemas, "twice", 1, 1);
    await schemas.replace("twice", { color, size: { type: "number", filterable: false } }, 3);
    expect(await publishSchema(schemas, "twice", 9, 1)).toBe(true);
    await deliver("twice", index);
    for (const id of ["a", "b"])
      expect(index.columns.get(id)).toEqual([{ name: "attributes.color", type: "string", value: "red" }]);
  });

  it("starts no job where no column changes", async () => {
    await schemas.replace("same", { color }, 1);
    await publishSchema(schemas, "same");
    const stored = await schemas.replace("same", { color, note: { type: "string", filterable: false } }, 2);
    expect(stored).toMatchObject({ version: 2, done: 1 });
  });
});

describe("details of a product", () => {
  const details = {
    description: "Roasted on Monday.",
    categories: ["Drinks > Coffee", "Gifts"],
    brand: "Acme",
    url: "https://shop.example/coffee",
    images: ["https://shop.example/coffee.jpg", "/assets/coffee.svg"],
    saleFrom: "2026-01-01T00:00:00.000Z",
    saleUntil: "2026-02-01T00:00:00.000Z",
    availableFrom: null,
    availableUntil: "2027-01-01T00:00:00.000Z",
    openingHours: [{ days: ["monday" as const], opens: "09:00", closes: "18:00" }],
    serviceRadiusKm: 12,
  };

  it("are returned as they were written, and reach the columns of tiles", async () => {
    const location = { lat: 59.9, lon: 10.7 };
    const { product } = unwrap(
      await service.put("details", sampleProduct({ id: "a", location, ...details })),
      "the product service",
    );
    expect(product).toMatchObject({ ...details, category: "Drinks > Coffee" });
    const index = new InMemoryIndex();
    await deliver("details", index);
    expect(index.columns.get("a")).toEqual([
      { name: "brand", type: "string", value: "Acme" },
      { name: "moreCategories", type: "list", value: ["Gifts"] },
      { name: "saleFrom", type: "time", value: Date.parse(details.saleFrom) / 1000 },
      { name: "saleUntil", type: "time", value: Date.parse(details.saleUntil) / 1000 },
      { name: "availableUntil", type: "time", value: Date.parse(details.availableUntil) / 1000 },
      { name: "openingHours", type: "string", value: "Europe/Oslo 540-1080" },
      { name: "serviceRadiusKm", type: "number", value: 12 },
    ]);
    const [card] = unwrap(
      await service.getCards("details", [{ productId: "a", version: 0 }]),
      "the product service",
    );
    expect(card).toMatchObject({
      image: details.images[0],
      url: details.url,
      columns: index.columns.get("a"),
    });
  });

  it("change one by one, and null removes one", async () => {
    await service.put("details", sampleProduct({ id: "b", ...details }));
    const patched = unwrap(
      await service.patch("details", "b", {
        ...{ brand: null, description: "Fresh.", category: "Coffee", availableUntil: null },
        openingHours: [{ days: ["sunday"], opens: "10:00", closes: "24:00" }],
      }),
      "the product service",
    );
    expect(patched).toMatchObject({
      ...details,
      ...{ brand: null, description: "Fresh.", category: "Coffee", availableUntil: null },
      categories: ["Coffee", "Gifts"],
      openingHours: [{ days: ["sunday"], opens: "10:00", closes: "24:00" }],
    });
    const emptied = unwrap(
      await service.patch("details", "b", { categories: null, images: [] } as never),
      "the product service",
    );
    expect(emptied).toMatchObject({ category: "unknown", categories: ["unknown"], images: [] });
  });

  it("refuse a category that is not the first, times that end before they begin, and what is no URL", async () => {
    const pathsOf = async (fields: object): Promise<string[]> => {
      const done = await service.put("details", { ...sampleProduct({ id: "c" }), ...fields });
      return done.ok ? [] : (done.error.issues ?? []).map(({ path }) => path.replace("input.", ""));
    };
    expect(await pathsOf({ category: "Gifts", categories: ["Drinks", "Gifts"] })).toEqual(["category"]);
    expect(
      await pathsOf({ saleFrom: "2026-02-01T00:00:00Z", saleUntil: "2026-02-01T01:00:00+01:00" }),
    ).toEqual(["saleUntil"]);
    expect(await pathsOf({ url: "javascript:alert(1)", images: ["//evil.example/x"] })).toEqual([
      "url",
      "images.0",
    ]);
    expect(await pathsOf({ openingHours: [{ days: ["monday"], opens: "9", closes: "18:00" }] })).toEqual([
      "openingHours.0.opens",
    ]);
  });
});
