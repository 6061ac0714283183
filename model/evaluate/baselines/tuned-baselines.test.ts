import { describe, expect, it } from "vitest";
import type { Dataset, DatasetEvent } from "../../data/dataset.ts";
import { simulate } from "../../simulate/simulate.ts";
import { choice, noon, shop } from "./testing.ts";
import { tune } from "./tune.ts";
import { baselinesWith, tunedBaselines } from "./tuned-baselines.ts";
import type { TunedMethod } from "./tuned-method.ts";

/** Scores items by their choices, times the one parameter: with -1, the least chosen item is first. */
const bySign: TunedMethod<"sign"> = {
  name: "bySign",
  values: { sign: [-1, 1] },
  start: { sign: 1 },
  fit: (_, past) => {
    const choices = [...past.all().values()].flatMap(({ items }) => items);
    return (scores, _question, { sign }) => {
      for (const item of choices) scores[item] += sign;
    };
  },
};
const many = (id: string, times: number, from: number): DatasetEvent[] =>
  Array.from({ length: times }, (_, i) => choice(id, from + i));

describe("tune", () => {
  const train = [..."abcde"].flatMap((id, i) => many(id, 9 - i, noon + i * 100));
  const valid = many("e", 5, noon + 1000);

  it("chooses on the validation part, and counts it for the test part", () => {
    const found = tune(bySign, shop({ train, valid }));
    expect(found.parameters).toEqual({ sign: -1 });
    // e was chosen 5 times in training and 5 times in validation.
    expect(found.score(choice("a", noon + 2000))[4]).toBeCloseTo(-10, 6);
  });

  it("holds back the newest training events if there is no validation part", () => {
    expect(tune(bySign, shop({ train: [...train, ...valid] })).parameters).toEqual({ sign: -1 });
  });

  it("reads no test event", () => {
    const test = many("a", 50, noon + 2000);
    const [without, given] = [shop({ train, valid }), shop({ train, valid, test })].map((dataset) => {
      const baseline = tune(bySign, dataset);
      return { parameters: baseline.parameters, scores: [...baseline.score(choice("a", noon + 9000))] };
    });
    expect(given).toEqual(without);
  });

  it("keeps the parameters of the start if nothing can be held back", () => {
    expect(tune(bySign, shop({ train: [choice("a", noon)] })).parameters).toEqual({ sign: 1 });
  });
});

describe("tunedBaselines", () => {
  const market = simulate({ products: 200, users: 15, events: 500, days: 40 }, 3, 1_760_000_000).dataset;

  it("score by what was observed: not by the asked product, and not by other users", () => {
    const small: Dataset = { ...market, test: [] };
    const baselines = tunedBaselines(small);
    expect(baselines.map(({ name }) => name)).toEqual(["heuristic", "orderHeuristic", "itemKnn", "ease"]);
    const [event] = market.test;
    const other = { ...event, itemId: [...market.items.keys()][7] };
    for (const baseline of baselines) {
      for (const past of [...market.train, ...market.valid]) baseline.observe(past);
      const before = [...baseline.score(event)];
      expect(before.every(Number.isFinite)).toBe(true);
      expect([...baseline.score(other)]).toEqual(before);
      for (let i = 0; i < 9; i++) baseline.observe({ ...other, userId: "somebody else", type: "click" });
      expect([...baseline.score(event)]).toEqual(before);
      baseline.observe({ ...other, type: "dismiss" });
      expect([...baseline.score(event)]).toEqual(before);
      baseline.observe({ ...other, type: "click" });
      expect([...baseline.score(event)]).not.toEqual(before);
    }
  });

  it("are reported one by one, and are the same again", () => {
    const heard: string[] = [];
    const first = tunedBaselines(market, ({ name }) => heard.push(name));
    expect(heard).toEqual(first.map(({ name }) => name));
    expect(tunedBaselines(market).map(({ parameters }) => parameters)).toEqual(
      first.map(({ parameters }) => parameters),
    );
  });

  it("are made again from their names and parameters, and score the same", () => {
    const chosen = tunedBaselines(market);
    const again = baselinesWith(market, JSON.parse(JSON.stringify(chosen)));
    for (const [i, baseline] of again.entries())
      expect(baseline.score(market.test[0])).toEqual(chosen[i].score(market.test[0]));
    expect(() => baselinesWith(market, [{ name: "none", parameters: {} }])).toThrow('no method "none"');
    expect(() => baselinesWith(market, [{ name: "ease", parameters: {} }])).toThrow(
      "ease needs the parameter",
    );
  });
});
