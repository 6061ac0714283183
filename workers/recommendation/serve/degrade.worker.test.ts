import { describe, expect, it } from "vitest";
import { recommendationAnswer } from "../../../shared/contracts/recommendation.ts";
import { ok, unwrap } from "../../../shared/contracts/result.ts";
import { recommendForAnn, rejectAsDown, services, sessionEnvironment } from "../testing/services.ts";

async function answer(change: object, input: object = {}, application?: string) {
  const result = unwrap(await recommendForAnn(change, input, application), "the recommendation service");
  const body = recommendationAnswer.parse(result);
  const skipped = Object.fromEntries(
    body.stages.flatMap(({ name, skipped: why }) => (why === undefined ? [] : [[name, why]])),
  );
  return { ...body, skipped };
}

describe("recommendProducts", () => {
  it("ranks by the bundled model if the registry fails, and says so", async () => {
    const { items, model, skipped } = await answer({});
    expect(items).toHaveLength(5);
    expect(model.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(skipped).toEqual({ model: "the registry or its model: failed" });
  });

  it("builds cards from tiles if the catalog fails", async () => {
    const { items, skipped } = await answer({ PRODUCT: { getCards: rejectAsDown } }, {}, "cold");
    expect(skipped.cards).toContain("tiles stand in");
    expect(items[0].product).toMatchObject({ category: "books", price: 2.5, currency: "EUR", image: null });
    expect(items[0].product).toMatchObject({ priceAfterDiscount: 2.5, groupId: null });
    expect(items).toHaveLength(5);
  });

  it("L3: is unavailable if the currency of a price cannot be decided, unless the request names it", async () => {
    const change = { LOCATION: { ...services.LOCATION, filterCurrency: rejectAsDown } };
    const refused = await recommendForAnn(change, { filter: { priceMax: 3 } });
    expect(refused).toMatchObject({
      ok: false,
      error: { code: "unavailable", detail: expect.stringContaining("filter.currency") },
    });
    const named = await answer(change, { filter: { priceMax: 2.5, currency: "EUR" } });
    expect(named.items).toHaveLength(5);
    expect(named.filter).toEqual({ currency: "EUR" });
  });

  it("is unavailable if the declared attributes of a filter are not known, and needs none for other filters", async () => {
    const change = { PRODUCT: { ...services.PRODUCT, getSchema: rejectAsDown } };
    const vegan = { filter: { expression: "product.attributes.vegan" } };
    expect(await recommendForAnn(change, vegan)).toMatchObject({ error: { code: "unavailable" } });
    const { items } = await answer(change, { filter: { expression: 'product.category == "books"' } });
    expect(items).toHaveLength(5);
  });

  it("leaves out the city name if the gazetteer fails", async () => {
    const gatherCandidates = gatherWith({ place: { skipped: "the gazetteer: failed" } });
    const { items, location, skipped } = await answer({
      LOCATION: { ...services.LOCATION, gatherCandidates },
    });
    expect(skipped.place).toBe("the gazetteer: failed");
    expect(location).toMatchObject({ city: null, source: "request" });
    expect(items).toHaveLength(5);
  });

  it("recommends by city and popularity if the user object fails", async () => {
    const id = sessionEnvironment.USER_SESSION.idFromName("demo:ann");
    const session = { id, encodedProfileFor: rejectAsDown, recordImpressions: rejectAsDown };
    const { items, location, skipped } = await answer({
      USER_SESSION: { idFromName: () => id, idFromString: () => id, get: () => session },
    });
    expect(Object.entries(skipped)).toContainEqual(["person", expect.stringContaining("failed")]);
    expect(location.precision).toBe("city");
    expect(items).toHaveLength(5);
  });

  it("names what replaced the tiles if they are missing", async () => {
    const gatherCandidates = gatherWith({ skipped: ["cells for tiles"] });
    const { skipped } = await answer({ LOCATION: { ...services.LOCATION, gatherCandidates } });
    expect(skipped.sources).toBe("cells for tiles");
  });

  it("skips stages that exceed the budget", async () => {
    const slow = () => new Promise((resolve) => setTimeout(() => resolve(ok(null)), 300));
    const id = sessionEnvironment.USER_SESSION.idFromName("demo:ann");
    const { items, skipped } = await answer(
      {
        USER_SESSION: {
          idFromName: () => id,
          idFromString: () => id,
          get: () => ({ id, encodedProfileFor: slow, recordImpressions: rejectAsDown }),
        },
      },
      { budgetMs: 5 },
    );
    expect(items).toHaveLength(5);
    expect(Object.entries(skipped)).toContainEqual(["person", expect.stringContaining("budget")]);
    expect(skipped.sources).toContain("chosen: budget");
  });

  it("leaves explanations out of a list whose budget is used up, and gives them without a budget", async () => {
    const late = await answer({}, { explain: true, budgetMs: 1 });
    expect(late.skipped.explain).toBe("budget");
    expect(late.items).toHaveLength(5);
    expect(late.items[0].explanation).toBeUndefined();
    const { items, stages } = await answer({}, { explain: true });
    expect(items[0].explanation?.text).toContain(items[0].product.title);
    expect(stages.find(({ name }) => name === "explain")).toMatchObject({ kind: "computing" });
  });

  it("is unavailable if the candidate service fails", async () => {
    const result = await recommendForAnn({
      LOCATION: { ...services.LOCATION, gatherCandidates: rejectAsDown },
    });
    expect(result).toMatchObject({ ok: false, error: { code: "unavailable", retryAfter: 1 } });
  });
});

/** Returns a candidate service with some fields of its answer replaced. */
const gatherWith = (changes: object) => async () => {
  const whole = await services.LOCATION.gatherCandidates();
  return whole.ok ? ok({ ...whole.value, ...changes }) : whole;
};
