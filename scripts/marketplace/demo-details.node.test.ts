import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { simulatedCategories } from "../../model/simulate/categories.ts";
import { simulate } from "../../model/simulate/simulate.ts";
import { catalogSchemaInput } from "../../shared/contracts/catalog-schema.ts";
import { productInput } from "../../shared/contracts/product.ts";
import { demoDetails, demoSchema } from "./demo-details.ts";
import { drawnCategories, drawPicture, pictureFile } from "./draw-picture.ts";
import { toMarketplace } from "./marketplace.ts";

const now = Date.UTC(2026, 0, 15, 12) / 1000;

describe("the demo marketplace", () => {
  it("has valid products that use every field, with the same main categories as the dataset", () => {
    const { dataset } = simulate({ products: 600, users: 3, events: 30, days: 7 }, 1, now);
    const { products } = toMarketplace(dataset, {
      shift: 0,
      schema: demoSchema,
      moreFields: (item) => demoDetails(item, now),
    });
    const parsed = products.map((each) => productInput.parse(each));
    for (const each of parsed) expect(each.categories[0]).toBe(dataset.items.get(each.id)?.category);
    const used = new Set(
      parsed.flatMap((each) =>
        Object.entries(each).flatMap(([name, value]) =>
          value !== null && value !== undefined ? [name] : [],
        ),
      ),
    );
    for (const name of ["brand", "description", "openingHours", "saleUntil", "serviceRadiusKm", "images"])
      expect(used, name).toContain(name);
    const declared = Object.keys(catalogSchemaInput.parse(demoSchema).attributes);
    const attributes = new Set(parsed.flatMap((each) => Object.keys(each.attributes)));
    expect([...attributes].sort()).toEqual(declared.sort());
  });

  it("has a current picture for each category, in light and dark, that names no other file", () => {
    expect([...drawnCategories].sort()).toEqual(simulatedCategories.map(({ name }) => name).sort());
    for (const category of drawnCategories) {
      const picture = drawPicture(category);
      const file = join(import.meta.dirname, "../../web/assets", pictureFile(category));
      expect(readFileSync(file, "utf8"), `${category}: run npm run pictures`).toBe(picture);
      expect(picture).toContain("prefers-color-scheme:dark");
      expect(picture).not.toMatch(/href|url\(|<script/);
    }
  });
});
