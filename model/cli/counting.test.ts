import { describe, expect, it } from "vitest";
import { servingCounts } from "../replay/tile-pyramid.ts";
import { countingArgument, countingHelp, countingUsage, parseCounting } from "./counting.ts";

describe("parseCounting", () => {
  it("knows the counts of a deployment, and those that the bundled model was trained by as the default", () => {
    expect(parseCounting("serving")).toEqual(servingCounts);
    expect(parseCounting("serving").minUsersShown).toBe(5);
    expect(parseCounting(countingArgument.counts.default)).toMatchObject({ againDays: 0, minUsersShown: 1 });
    for (const name of ["every", "serving"]) {
      expect(countingUsage).toContain(name);
      expect(countingHelp).toMatch(new RegExp(`^ {2}${name} `, "m"));
    }
  });

  it("refuses other names", () => {
    for (const name of ["", "all", "toString"])
      expect(() => parseCounting(name)).toThrow(`must be one of every, serving; got "${name}"`);
  });
});
