import { describe, expect, it } from "vitest";
import { recalibrationSettingsOf } from "./settings.ts";

describe("recalibrationSettingsOf", () => {
  it("keeps the defaults of settings that the variable does not name", () => {
    expect(recalibrationSettingsOf({ RECALIBRATION: '{"epochs":5}' })).toMatchObject({ epochs: 5, days: 30 });
  });

  it("refuses an unknown setting by name, so that a misspelled one is not ignored", () => {
    expect(() => recalibrationSettingsOf({ RECALIBRATION: '{"leastSteps":1}' })).toThrow("leastSteps");
  });
});
