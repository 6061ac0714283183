import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { trustedRequester } from "../../../shared/contracts/requester.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { needsContext, readyMadeScenarios } from "../scenarios/ready-made.ts";
import { database, migrateRegistry } from "../testing/models.ts";
import { recommendForAnn, services } from "../testing/services.ts";
import { environment } from "../testing/user-sessions.ts";
import { replayRecommendation } from "./replay-recommendation.ts";

/** Makes a recommendation for Ann in an application of its own, and returns it with her object. */
async function recommend(application: string, input: object = {}, change: object = {}) {
  const answer = unwrap(await recommendForAnn(change, input, application), "the recommendation service");
  const session = environment.USER_SESSION.get(environment.USER_SESSION.idFromName(`${application}:ann`));
  const receipt = await session.receipt(application, answer.recommendationId);
  if (receipt === null) throw new Error("there is no receipt");
  const replay = async () =>
    unwrap(
      await replayRecommendation(
        services as never,
        application,
        receipt,
        await session.recordedInputs(application, answer.recommendationId),
      ),
      "the replay",
    );
  return { answer, session, receipt, replay };
}

const explained = { explain: true, limit: 8 };

describe("replayRecommendation", () => {
  it("computes the same list, in workerd, with the bundled model", async () => {
    const variants = [
      {},
      { diversity: 0.7 },
      { boost: { books: 3 } },
      { caps: { perCategory: 3 } },
      {
        boosts: [
          { when: "product.price < 2.0", multiply: 3 },
          { when: "distanceKm < 1.0", add: 0.1 },
        ],
      },
      { pins: [{ when: 'product.category == "books"', position: 2 }] },
      { exclude: ["p1", "p2"] },
      { rankBy: "popularity" },
      { explore: { share: 0.5, when: 'product.title != "Product 9"' } },
      { objective: { click: 1, purchase: 30 } },
      { explore: { share: 0.5, drawn: 0.5 } },
      { explore: { share: 0, drawn: 0.5 } },
    ];
    const exploring = { ROLLOUT: JSON.stringify({ exploration: { rate: 0.5, depth: 5 } }) };
    for (const [i, input] of variants.entries()) {
      const { answer, receipt, replay } = await recommend(`same-${i}`, { ...explained, ...input }, exploring);
      const { same, items, gone } = await replay();
      expect(gone).toEqual([]);
      expect(same).toBe(true);
      expect(items.map(({ productId, score }) => ({ productId, score }))).toEqual(
        answer.items.map(({ productId, score }) => ({ productId, score })),
      );
      expect(receipt.input).toMatchObject({ ...input, limit: 8, candidates: 500, purchasedDays: 30 });
      expect(receipt.sources).toMatchObject({ near: 20 - (input.exclude?.length ?? 0), next: 0 });
    }
  });

  it("computes the lists of all ready-made scenarios again", async () => {
    await migrateRegistry();
    for (const scenario of readyMadeScenarios.keys()) {
      const context = needsContext.has(scenario) ? { context: { productIds: ["p3"] } } : {};
      const { answer, receipt, replay } = await recommend(
        `scenario-${scenario}`,
        { explain: true, scenario, ...context },
        { DB: database },
      );
      const { same, items, gone } = await replay();
      expect({ scenario, same, gone }).toEqual({ scenario, same: true, gone: [] });
      expect(items.map(({ productId }) => productId)).toEqual(answer.items.map(({ productId }) => productId));
      expect(receipt.input).toMatchObject({ scenario });
    }
  });

  it("names the inputs if they were not recorded", async () => {
    const { replay } = await recommend("not-recorded", { limit: 8 });
    expect(await replay()).toMatchObject({ same: false, items: [], gone: [{ what: "inputs" }] });
    const all = await recommend("recorded", { limit: 8 }, { RECORD_INPUTS: "all" });
    expect(await all.replay()).toMatchObject({ same: true, gone: [] });
    const none = await recommend("none-recorded", explained, { RECORD_INPUTS: "none" });
    expect(await none.replay()).toMatchObject({ same: false, gone: [{ what: "inputs" }] });
  });

  it("names a model that was deleted", async () => {
    const { receipt, session } = await recommend("model-gone", explained);
    const inputs = await session.recordedInputs("model-gone", receipt.recommendationId);
    const fallback = { ...receipt, model: { version: "retired", sha256: "" } };
    const replay = await replayRecommendation(services as never, "model-gone", fallback, inputs);
    expect(replay).toMatchObject({ ok: true, value: { same: false, gone: [{ what: "model" }] } });
  });

  it("says that another list comes of the same inputs", async () => {
    const { receipt, session } = await recommend("other-code", explained);
    const inputs = await session.recordedInputs("other-code", receipt.recommendationId);
    const items = receipt.items.map((item) => ({ ...item, score: item.score + 1e-12 }));
    const replay = await replayRecommendation(services as never, "other-code", { ...receipt, items }, inputs);
    expect(replay).toMatchObject({ ok: true, value: { same: false, gone: [{ what: "code" }] } });
  });
});

describe("exploration of a request", () => {
  it("shows only products that meet its condition, with the propensities of that choice", async () => {
    const explore = { share: 0.5, when: 'product.title == "Product 7" || product.title == "Product 8"' };
    const boosts = [{ when: explore.when, multiply: 0.01 }];
    const shown = new Map<string, number>();
    for (let i = 0; i < 24; i++) {
      const { receipt } = await recommend("exploring", { limit: 10, boosts, explore });
      const { productId, propensity } = receipt.items[9];
      expect(receipt.items.slice(0, 9).every((each) => each.propensity === 1)).toBe(true);
      shown.set(productId, propensity);
    }
    const off = await recommend("exploring", { limit: 10, boosts, explore: { share: 0 } });
    expect(off.receipt.items.every(({ propensity }) => propensity === 1)).toBe(true);
    const best = off.receipt.items[9].productId;
    expect(shown.get(best)).toBe(0.5);
    shown.delete(best);
    // The depth of the deployment reaches both.
    expect([...shown.keys()].every((id) => id === "p7" || id === "p8")).toBe(true);
    for (const propensity of shown.values()) expect(propensity).toBe(0.25);
  });
});

describe("a drawn order", () => {
  const rolledOut = { ROLLOUT: JSON.stringify({ exploration: { depth: 5, drawn: { share: 0.5 } } }) };

  it("shows products of the pool with the probability of each position after those before", async () => {
    let drawn = 0;
    for (let i = 0; i < 16; i++) {
      const { receipt, session } = await recommend("drawn", { limit: 10 }, rolledOut);
      const stored = await session.exportPage({ table: "receipts", after: "" }, 100);
      const { seen } = stored.items
        .map((item) => JSON.parse(item))
        .find(({ receipt: each }) => each?.recommendationId === receipt.recommendationId);
      const [first] = receipt.items;
      if (seen.rankTemperature === undefined) {
        expect(receipt.items.every(({ propensity }) => propensity === 1)).toBe(true);
        continue;
      }
      drawn++;
      expect(seen.rankTemperature).toBe(1);
      const rows = seen.rows as { rank: number; position: number; propensity: number }[];
      const inPlay = rows.filter(({ rank }) => rank > 0);
      expect(inPlay.map(({ rank }) => rank).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 15 }, (_, rank) => rank + 1),
      );
      const all = inPlay.reduce((sum, { rank }) => sum + 1 / rank, 0);
      const rankOf = (position: number) => inPlay.find((row) => row.position === position)?.rank ?? 0;
      expect(first.propensity).toBeCloseTo(1 / rankOf(1) / all, 9);
      expect(receipt.items[1].propensity).toBeCloseTo(1 / rankOf(2) / (all - 1 / rankOf(1)), 9);
    }
    expect(drawn).toBeGreaterThan(1);
    expect(drawn).toBeLessThan(15);
  });

  it("is off for a request that does not explore, for lists with pins, and where the setting is 0", async () => {
    const pins = [{ productId: "p7", position: 2 }];
    for (const [input, change] of [
      [{ explore: { share: 0 } }, rolledOut],
      [{ explore: { share: 0.3, drawn: 0 }, limit: 4 }, rolledOut],
      [{ pins }, rolledOut],
      [{}, { ROLLOUT: JSON.stringify({ exploration: { drawn: { share: 0 } } }) }],
    ])
      for (let i = 0; i < 8; i++) {
        const { receipt } = await recommend("not-drawn", { limit: 10, ...input }, change);
        expect(receipt.items.every(({ propensity }) => propensity === 1)).toBe(true);
      }
  });
});

describe("recorded inputs", () => {
  it("are those of the newest 50 recommendations", async () => {
    const { session } = await recommend("newest", explained);
    await runInDurableObject(session, (_object, { storage: { sql } }) => {
      for (let i = 0; i < 60; i++)
        sql.exec("INSERT INTO recorded_inputs VALUES (?, ?, ?)", `old-${i}`, i, new Uint8Array(8));
    });
    await recommend("newest", explained);
    const ids = await runInDurableObject(session, (_object, { storage: { sql } }) =>
      sql.exec<{ id: string }>("SELECT id FROM recorded_inputs ORDER BY time").toArray(),
    );
    expect(ids).toHaveLength(50);
    expect(ids[0].id).toBe("old-12");
  });

  it("are deleted when the consent is lowered, also those of a list without a place", async () => {
    const { session, replay } = await recommend("lowered", { ...explained, location: undefined });
    expect((await replay()).same).toBe(true);
    await session.setUserSettings("lowered", "ann", { home: null, precision: "city", version: 1 });
    expect((await replay()).gone).toMatchObject([{ what: "inputs" }]);
  });

  it("are in the export of the user's object", async () => {
    const { session } = await recommend("exported", explained);
    const page = await session.exportPage({ table: "receipts", after: "" }, 10);
    expect(page.items.map((item) => typeof JSON.parse(item).inputs)).toEqual(["string"]);
  });
});

describe("an explanation", () => {
  it("adds up to the score, and says where the product comes from", async () => {
    const { answer } = await recommend("adds-up", { ...explained, boost: { books: 2 } });
    for (const { score, explanation, distanceKm } of answer.items) {
      if (!explanation) throw new Error("there is no explanation");
      const { contributions, averageScore, sources, rules, probabilities, text } = explanation;
      const sum = contributions.reduce((total, { value }) => total + value, 0);
      expect(sum).toBeCloseTo(score - averageScore, 9);
      expect(sources).toEqual(["near", "chosen"]);
      expect(rules).toEqual([{ rule: "boost", factor: 2 }]);
      expect(distanceKm).toBe(0);
      expect(probabilities.click).toBeGreaterThan(0);
      expect(probabilities.click).toBeLessThan(1);
      expect(text).toContain("the shop features its category");
    }
  });

  it("names the boosts with a condition that changed the score, and still adds up", async () => {
    const boosts = [
      { when: "product.price > 100.0", multiply: 9 },
      { when: 'product.category == "books"', multiply: 0.5 },
      { when: 'product.title == "Product 3"', add: 2 },
    ];
    const pins = [{ when: 'product.title == "Product 7"', position: 2 }];
    const { answer } = await recommend("boosted", { ...explained, boosts, pins });
    const lowered = { rule: "boosts", index: 1, factor: 0.5 };
    const rulesOf = (at: number) => answer.items[at].explanation?.rules;
    expect(answer.items.slice(0, 2).map(({ productId }) => productId)).toEqual(["p3", "p7"]);
    expect(rulesOf(0)).toEqual([lowered, { rule: "boosts", index: 2, add: 2 }]);
    expect(rulesOf(1)).toEqual([lowered, { rule: "pin" }]);
    expect(rulesOf(2)).toEqual([lowered]);
    expect(answer.items[0].explanation?.text).toContain("the shop features products like it");
    expect(answer.items[2].explanation?.text).not.toContain("the shop");
    expect(answer.filter).toEqual({ currency: "NOK" });
    for (const { score, explanation } of answer.items) {
      if (!explanation) throw new Error("there is no explanation");
      const sum = explanation.contributions.reduce((total, { value }) => total + value, 0);
      expect(sum).toBeCloseTo(score - explanation.averageScore, 9);
    }
  });

  it("names the objective, whose score is the expected worth, and still adds up", async () => {
    const { answer } = await recommend("worth", { ...explained, objective: { click: 1, purchase: 30 } });
    for (const { score, explanation } of answer.items) {
      if (!explanation) throw new Error("there is no explanation");
      const { click, purchase } = explanation.probabilities;
      expect(score).toBeCloseTo(click + 30 * purchase, 5);
      expect(explanation.rules).toMatchObject([{ rule: "objective" }]);
      const sum = explanation.contributions.reduce((total, { value }) => total + value, 0);
      expect(sum).toBeCloseTo(score - explanation.averageScore, 9);
    }
  });

  it("tells nothing of history and place to who may not know them, and still adds up", async () => {
    const { answer } = await recommend("rights", explained);
    const [{ explanation: whole }] = answer.items;
    const requester = { ...trustedRequester, mayReadHistory: false, mayKnowPlace: false };
    const shown = unwrap(
      await recommendForAnn({}, explained, "rights-of-few", requester),
      "the recommendation service",
    );
    expect(whole?.contributions.map(({ group }) => group)).toContain("own");
    for (const { score, explanation } of shown.items) {
      if (!explanation) throw new Error("there is no explanation");
      expect(explanation.contributions.map(({ group }) => group).sort()).toEqual(["popularity", "withheld"]);
      const sum = explanation.contributions.reduce((total, { value }) => total + value, 0);
      expect(sum).toBeCloseTo(score - explanation.averageScore, 9);
      expect(explanation.sources).toEqual(["near"]);
    }
  });
});
