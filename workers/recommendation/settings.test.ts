import { describe, expect, it } from "vitest";
import { historyRulesOf, rolloutSettingsOf } from "./settings.ts";

describe("rolloutSettingsOf", () => {
  it("returns the defaults without the variable", () => {
    expect(rolloutSettingsOf({})).toMatchObject({ automatic: true, canary: { share: 0.1, minUsers: 50 } });
  });

  it("refuses an unknown setting by name, so that a misspelled one is not ignored", () => {
    expect(() => rolloutSettingsOf({ ROLLOUT: '{"canary":{"leastPeople":1}}' })).toThrow("leastPeople");
    expect(() => rolloutSettingsOf({ ROLLOUT: '{"gate":{"mostBytes":1}}' })).toThrow("mostBytes");
  });
});

describe("historyRulesOf", () => {
  it("returns the variables, the defaults, and the request's rule first", () => {
    expect(historyRulesOf({})).toEqual({ dismissedDays: 90, purchased: "auto", purchasedDays: 30 });
    const variables = { DISMISSED_DAYS: "0", PURCHASED: "hide", PURCHASED_DAYS: "7.5" };
    expect(historyRulesOf(variables)).toEqual({ dismissedDays: 0, purchased: "hide", purchasedDays: 7.5 });
    expect(historyRulesOf(variables, "keep").purchased).toBe("keep");
  });

  it("refuses a value that is not as documented, by the name of its variable", () => {
    for (const variables of [
      { DISMISSED_DAYS: "" },
      { DISMISSED_DAYS: "-1" },
      { PURCHASED: "never" },
      { PURCHASED_DAYS: "30d" },
      { PURCHASED_DAYS: "4000" },
    ])
      expect(() => historyRulesOf(variables)).toThrow(Object.keys(variables)[0]);
  });
});
