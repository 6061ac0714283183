import { beforeAll, expect, it } from "vitest";
import { fullScans, recordPlans } from "../../shared/testing/query-plans.ts";
import { ImageStore } from "./images/image-store.ts";
import { publishSchema, publishSchemas } from "./publish-schema.ts";
import { SchemaStore } from "./schema-store.ts";
import { ProductStore } from "./store.ts";
import { environment, migrate, sampleProduct } from "./testing/environment.ts";

beforeAll(migrate);

it("no statement of the product worker reads a whole table that grows", async () => {
  const { database, plans } = recordPlans(environment.DB);
  const store = new ProductStore(database);
  const images = new ImageStore(database);
  const ids = ["a", "b", "c"];
  await store.upsert(
    "plans",
    ids.map((id) => sampleProduct({ id, category: "toys" })),
    1,
  );
  await store.patch("plans", "a", { priceMinor: 100 }, 2);
  await store.patch("plans", "a", { priceMinor: 200 }, 2, { priceMinor: 100, currency: null });
  const image = { id: "i", sha256: "0", contentType: "image/png" as const, bytes: 1 };
  await images.scheduleRemoval("plans", "i", 9);
  await images.put("plans", "a", 0, image, 2);
  await images.find("plans", "a", 0);
  await images.delete("plans", "a", 0, 3);
  await images.finishRemovals(await images.dueRemovals(10, 10));
  await store.read("plans", ids);
  await store.readPending("plans", ids);
  await store.list("plans", 10, null, undefined);
  await store.list("plans", 10, { productId: "a", category: "toys" }, undefined);
  await store.list("plans", 10, { productId: "a", category: "toys" }, "toys");
  await store.list("plans", 10, { productId: "a", category: "toys > cars" }, "toys");
  await store.listByAddress("plans", null, 10);
  const [, second] = (await store.listByAddress("plans", null, 2)).rows;
  expect((await store.listByAddress("plans", second, 10)).rows).toHaveLength(1);
  const schemas = new SchemaStore(database);
  await schemas.replace("plans", { color: { type: "string", filterable: true } }, 3);
  await schemas.unfinished(10);
  await publishSchema(schemas, "plans", 5, 2);
  await publishSchemas(schemas);
  await store.applicationsWithOpenRows();
  await store.countSent("plans", 0, 10);
  await store.claimOutbox("plans", 5, 6, 10);
  await store.markSent("plans", ids, 7);
  await store.closeOutbox("plans", [{ productId: "a", version: 9 }]);
  await store.countOpenOutbox("plans", 10);
  await store.remove("plans", "a", 8);

  const recorded = await plans();
  expect(recorded.length).toBeGreaterThan(20);
  // `open` is the list of applications with open rows, one row for each.
  expect(fullScans(recorded, ["open"])).toEqual([]);
  const lists = recorded.filter(({ sql }) => /from "products".*order by/i.test(sql));
  expect(lists.length).toBeGreaterThan(3);
  for (const { plan } of lists) expect(plan.join("\n")).not.toContain("TEMP B-TREE");
  const byAddress = recorded.filter(({ sql }) => /order by .*cell/i.test(sql));
  expect(byAddress).toHaveLength(2);
  for (const { plan } of byAddress) expect(plan.join("\n")).not.toContain("TEMP B-TREE");
});
