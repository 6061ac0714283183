import { beforeAll, describe, expect, it } from "vitest";
import { noCatalogSchema } from "../../../shared/contracts/catalog-schema.ts";
import { trustedRequester } from "../../../shared/contracts/requester.ts";
import { ok, unwrap } from "../../../shared/contracts/result.ts";
import { maxScenarioVersions } from "../../../shared/contracts/scenario.ts";
import { recommendProducts } from "../serve/recommend.ts";
import { environmentWithRollout, migrateRegistry } from "../testing/models.ts";
import { recommendForAnn, services } from "../testing/services.ts";
import { readyMadeScenarios } from "./ready-made.ts";
import { Scenarios } from "./scenarios.ts";

const environment = { ...environmentWithRollout({}), PRODUCT: services.PRODUCT as never };
const scenariosOf = (application: string) => new Scenarios(environment, application);
const put = async (scenarios: Scenarios, settings: object, validateOnly = false) =>
  unwrap(await scenarios.put("lunch", settings, validateOnly, 1_800_000_000), "scenarios");

beforeAll(migrateRegistry);

describe("the scenarios of an application", () => {
  it("have versions, of which one serves; the same settings again are no new version", async () => {
    const scenarios = scenariosOf("versions");
    expect(await put(scenarios, { limit: 3 })).toMatchObject({ version: 1 });
    expect(await put(scenarios, { limit: 4 })).toMatchObject({ version: 2, settings: { limit: 4 } });
    expect(await put(scenarios, { limit: 4 })).toMatchObject({ version: 2 });
    expect(unwrap(await scenarios.get("lunch"), "scenarios")).toMatchObject({
      version: 2,
      versions: [{ version: 2 }, { version: 1, settings: { limit: 3 } }],
    });
    expect((await scenariosOf("others").list()).map(({ name }) => name)).not.toContain("lunch");
  });

  it("store nothing with `validateOnly`", async () => {
    const scenarios = scenariosOf("checked");
    expect(await put(scenarios, { limit: 3 }, true)).toMatchObject({ version: 1 });
    expect(await scenarios.get("lunch")).toMatchObject({ ok: false, error: { code: "not_found" } });
  });

  it("refuse a wrong expression, with its field and position", async () => {
    const filter = { expression: "product.prise < 3.0" };
    expect(await scenariosOf("wrong").put("lunch", { filter }, true, 1)).toMatchObject({
      error: { code: "invalid_input", issues: [{ path: "filter.expression", nearest: "product.price" }] },
    });
  });

  it("refuse wrong conditions of rules, all of them", async () => {
    const boosts = [
      { when: "true", multiply: 2 },
      { when: "product.brnad == 1", add: 1 },
    ];
    const pins = [{ when: "product.price <", position: 1 }];
    expect(await scenariosOf("wrong").put("lunch", { boosts, pins }, true, 1)).toMatchObject({
      error: {
        code: "invalid_input",
        issues: [{ path: "boosts[1].when", nearest: "product.brand" }, { path: "pins[0].when" }],
      },
    });
    expect(await scenariosOf("wrong").get("lunch")).toMatchObject({ ok: false });
  });

  it("refuse caps and groups by an attribute that is not filterable", async () => {
    const settings = { caps: { perAttribute: { colors: 2 } }, collapse: ["brand", "attributes.hue"] };
    const attributes = {
      color: { type: "list", filterable: true },
      hue: { type: "string", filterable: false },
    };
    const getSchema = async () => ok({ ...noCatalogSchema, attributes });
    const declared = { ...environment, PRODUCT: { getSchema } as never };
    expect(await new Scenarios(declared, "wrong").put("lunch", settings, true, 1)).toMatchObject({
      error: {
        issues: [{ path: "caps.perAttribute.colors", nearest: "color" }, { path: "collapse[1]" }],
      },
    });
  });

  it("go back to the version before, or to a named one, and go on from the newest", async () => {
    const scenarios = scenariosOf("back");
    for (const limit of [1, 2, 3]) await put(scenarios, { limit });
    expect(await scenarios.rollback("lunch", undefined)).toMatchObject({ value: { version: 2 } });
    expect(await scenarios.rollback("lunch", 1)).toMatchObject({ value: { settings: { limit: 1 } } });
    expect(await scenarios.rollback("lunch", undefined)).toMatchObject({ error: { code: "conflict" } });
    expect(await scenarios.rollback("lunch", 9)).toMatchObject({ error: { code: "conflict" } });
    expect(await scenarios.rollback("dinner", undefined)).toMatchObject({ error: { code: "not_found" } });
    expect(await put(scenarios, { limit: 5 })).toMatchObject({ version: 4 });
  });

  it("keep a bounded number of versions", async () => {
    const scenarios = scenariosOf("many");
    for (let i = 0; i < maxScenarioVersions + 3; i++) await put(scenarios, { limit: 1 + i });
    const { versions } = unwrap(await scenarios.get("lunch"), "scenarios");
    expect(versions).toHaveLength(maxScenarioVersions);
    expect(versions[0].settings).toEqual({ limit: maxScenarioVersions + 3 });
  });

  it("contain the ready-made ones, which a stored one replaces until it is deleted", async () => {
    const scenarios = scenariosOf("ready");
    expect((await scenarios.list()).map(({ name }) => name)).toEqual([...readyMadeScenarios.keys()].sort());
    unwrap(await scenarios.put("home", { limit: 7 }, false, 1), "scenarios");
    expect((await scenarios.list()).find(({ name }) => name === "home")).toMatchObject({ version: 1 });
    expect(await scenarios.remove("home", 1_800_000_000)).toMatchObject({ ok: true });
    expect(await scenarios.get("home")).toMatchObject({ value: { version: null } });
    expect(await scenarios.remove("home", 1_800_000_000)).toMatchObject({ error: { code: "not_found" } });
  });
});

describe("a recommendation of a scenario", () => {
  it("has the fields of the scenario where the request has none", async () => {
    await put(scenariosOf("fields"), { limit: 3, exclude: ["p0", "p1"] });
    const ask = async (input: object) =>
      unwrap(await recommendForAnn(environment, { scenario: "lunch", ...input }, "fields"), "lists");
    const three = await ask({ limit: undefined });
    expect(three.items).toHaveLength(3);
    const all = await ask({ limit: 50, exclude: ["p2"] });
    const ids = all.items.map(({ productId }) => productId);
    expect(ids).toHaveLength(17);
    expect(ids).not.toEqual(expect.arrayContaining(["p0"]));
    expect(ids).not.toContain("p2");
  });

  it("is refused if the scenario is unknown, or was deleted", async () => {
    const scenarios = scenariosOf("gone");
    await put(scenarios, { limit: 3 });
    const ask = () => recommendForAnn(environment, { scenario: "lunch" }, "gone");
    expect(await ask()).toMatchObject({ ok: true });
    await scenarios.remove("lunch", 1_800_000_000);
    expect(await ask()).toMatchObject({
      ok: false,
      error: { code: "invalid_input", issues: [{ path: "scenario" }] },
    });
  });

  it("reads ready-made scenarios; one of a product page needs the product, and leaves it out", async () => {
    for (const name of readyMadeScenarios.keys()) {
      const context = { productIds: ["p3"] };
      const answer = unwrap(
        await recommendForAnn(environment, { scenario: name, context, limit: 50 }, "shop"),
        name,
      );
      expect(answer.items.map(({ productId }) => productId)).not.toContain("p3");
      if (name === "recently-viewed" || name === "reorder") expect(answer.items).toEqual([]);
      else expect(answer.items.length).toBeGreaterThan(1);
    }
    expect(await recommendForAnn(environment, { scenario: "product-page" }, "shop")).toMatchObject({
      error: { code: "invalid_input", issues: [{ path: "context" }] },
    });
  });

  it("goes on with what the isolate knows while the database is down, and is unavailable before", async () => {
    const down = { DB: services.DB };
    expect(await recommendForAnn(down, { scenario: "home" }, "cold")).toMatchObject({
      error: { code: "unavailable" },
    });
    expect(await recommendForAnn(environment, { scenario: "home" }, "warm")).toMatchObject({ ok: true });
    expect(await recommendForAnn(down, { scenario: "home" }, "warm")).toMatchObject({ ok: true });
  });

  it("shows the user's history only to those who may read it", async () => {
    const requester = { ...trustedRequester, mayReadHistory: false };
    const edge = { city: null, country: null, point: null, timezone: null };
    const input = { userId: "ann", only: "purchased" as const, explain: false };
    expect(
      await recommendProducts(environment, "hidden", { input, edge, requester }, () => undefined),
    ).toMatchObject({ error: { code: "forbidden" } });
  });
});
