import { describe, expect, it } from "vitest";
import { rolloutSettingsOf } from "./settings.ts";

describe("rolloutSettingsOf", () => {
  it("returns the defaults without the variable", () => {
    expect(rolloutSettingsOf({})).toMatchObject({ automatic: true, canary: { share: 0.1, minUsers: 50 } });
  });

  it("refuses an unknown setting by name, so that a misspelled one is not ignored", () => {
    expect(() => rolloutSettingsOf({ ROLLOUT: '{"canary":{"leastPeople":1}}' })).toThrow("leastPeople");
    expect(() => rolloutSettingsOf({ ROLLOUT: '{"gate":{"mostBytes":1}}' })).toThrow("mostBytes");
  });
});
