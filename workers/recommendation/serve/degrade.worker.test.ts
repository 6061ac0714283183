import { describe, expect, it } from "vitest";
import { recommendationAnswer } from "../../../shared/contracts/recommendation.ts";
import { ok, unwrap } from "../../../shared/contracts/result.ts";
import { ask, down, environment, services } from "../testing/services.ts";

async function answer(change: object, input: object = {}, application?: string) {
  const result = unwrap(await ask(change, input, application), "the recommendation service");
  const body = recommendationAnswer.parse(result);
  const skipped = Object.fromEntries(
    body.stages.flatMap(({ name, skipped: why }) => (why === undefined ? [] : [[name, why]])),
  );
  return { ...body, skipped };
}

describe("a recommendation goes on without", () => {
  it("the registry: the bundled model ranks, and the answer says so", async () => {
    const { items, model, skipped } = await answer({});
    expect(items).toHaveLength(5);
    expect(model.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(skipped).toEqual({ model: "the registry or its model: failed" });
  });

  it("the catalogue: tiles stand in for cards", async () => {
    const { items, skipped } = await answer({ PRODUCT: { cards: down } }, {}, "cold");
    expect(skipped.cards).toContain("tiles stand in");
    expect(items[0].product).toMatchObject({ category: "books", price: 2.5, currency: "EUR", image: null });
    expect(items).toHaveLength(5);
  });

  it("the gazetteer: without the name of the city", async () => {
    const around = lacking({ place: { skipped: "the gazetteer: failed" } });
    const { items, location, skipped } = await answer({
      LOCATION: { ...services.LOCATION, gatherCandidates: around },
    });
    expect(skipped.place).toBe("the gazetteer: failed");
    expect(location).toMatchObject({ city: null, source: "request" });
    expect(items).toHaveLength(5);
  });

  it("the person: place and popularity remain, of the place only the city", async () => {
    const id = environment.USER_SESSION.idFromName("demo:ann");
    const session = { id, state: down, impression: down };
    const { items, location, skipped } = await answer({
      USER_SESSION: { idFromName: () => id, idFromString: () => id, get: () => session },
    });
    expect(skipped.person).toContain("failed");
    expect(location.precision).toBe("city");
    expect(items).toHaveLength(5);
  });

  it("new tiles, and says what stood in for them", async () => {
    const around = lacking({ skipped: ["cells for tiles"] });
    const { skipped } = await answer({ LOCATION: { ...services.LOCATION, gatherCandidates: around } });
    expect(skipped.sources).toBe("cells for tiles");
  });

  it("what no longer fits into its budget", async () => {
    const slow = () => new Promise((resolve) => setTimeout(() => resolve(ok(null)), 300));
    const id = environment.USER_SESSION.idFromName("demo:ann");
    const { items, skipped } = await answer(
      {
        USER_SESSION: {
          idFromName: () => id,
          idFromString: () => id,
          get: () => ({ id, state: slow, impression: down }),
        },
      },
      { budgetMs: 5 },
    );
    expect(items).toHaveLength(5);
    expect(skipped.person).toContain("budget");
    expect(skipped.sources).toContain("chosen: budget");
  });

  it("nothing of all that: it is unavailable for a while, not broken", async () => {
    const result = await ask({ LOCATION: { ...services.LOCATION, gatherCandidates: down } });
    expect(result).toMatchObject({ ok: false, error: { code: "unavailable", retryAfter: 1 } });
  });
});

/** What is around Ann, but for something. */
const lacking = (what: object) => async () => {
  const whole = await services.LOCATION.gatherCandidates();
  return whole.ok ? ok({ ...whole.value, ...what }) : whole;
};
