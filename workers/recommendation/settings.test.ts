import { describe, expect, it } from "vitest";
import { defaultHistoryRules } from "../../model/rules/hidden-products.ts";
import {
  historyRulesOf,
  impressionDelayOf,
  lastLocationSecondsOf,
  recordsInputs,
  rolloutSettingsOf,
} from "./settings.ts";

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
    expect(historyRulesOf({})).toEqual(defaultHistoryRules);
    const variables = { DISMISSED_DAYS: "0", PURCHASED: "hide", PURCHASED_DAYS: "7.5" };
    expect(historyRulesOf(variables)).toMatchObject({
      dismissedDays: 0,
      purchased: "hide",
      purchasedDays: 7.5,
    });
    expect(historyRulesOf(variables, { purchased: "keep" }).purchased).toBe("keep");
    const quiet = { SHOWN: "keep", INTENT: "ignore" };
    expect(historyRulesOf(quiet)).toMatchObject({ shown: "keep", intent: "ignore" });
    expect(historyRulesOf(quiet, { shown: "fade", intent: "follow" })).toEqual(defaultHistoryRules);
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

describe("impressionDelayOf", () => {
  it("returns 200 ms without the variable, and else its number; refuses another value by name", () => {
    expect(impressionDelayOf({})).toBe(200);
    expect(impressionDelayOf({ IMPRESSION_DELAY_MS: "0" })).toBe(0);
    for (const value of ["-1", "0.5", "1001", "soon", ""])
      expect(() => impressionDelayOf({ IMPRESSION_DELAY_MS: value })).toThrow(
        `IMPRESSION_DELAY_MS must be a whole number, 0 to 1000; got "${value}"`,
      );
  });
});

describe("lastLocationSecondsOf", () => {
  it("P2: returns 12 hours without the variable, and the hours of the variable", () => {
    expect(lastLocationSecondsOf({})).toBe(12 * 3600);
    expect(lastLocationSecondsOf({ LAST_LOCATION_HOURS: "1.5" })).toBe(5400);
    expect(lastLocationSecondsOf({ LAST_LOCATION_HOURS: "0" })).toBe(0);
  });

  it("refuses another value, and names the setting, what was found and what is right", () => {
    for (const hours of ["-1", "soon", "9000", "NaN", ""])
      expect(() => lastLocationSecondsOf({ LAST_LOCATION_HOURS: hours })).toThrow(
        `LAST_LOCATION_HOURS must be a number of hours, 0 to 8760; got "${hours}"`,
      );
  });
});

describe("recordsInputs", () => {
  it("records explained lists without the variable, and else as it says; refuses another value by name", () => {
    const both = (variables: object): boolean[] =>
      [false, true].map((each) => recordsInputs(variables, each));
    expect(both({})).toEqual([false, true]);
    expect(both({ RECORD_INPUTS: "all" })).toEqual([true, true]);
    expect(both({ RECORD_INPUTS: "none" })).toEqual([false, false]);
    expect(() => recordsInputs({ RECORD_INPUTS: "some" }, true)).toThrow(
      'RECORD_INPUTS must be explained, all or none; got "some"',
    );
  });
});
