import { describe, expect, it } from "vitest";
import { parseBenchOptions } from "./options.ts";

describe("parseBenchOptions", () => {
  it("runs long sections only if they are named", () => {
    const all = parseBenchOptions([], {});
    expect(all).toMatchObject({ named: false });
    expect(all.sections).toContain("as-started");
    expect(all.sections).not.toContain("mixed");
    expect(parseBenchOptions(["--only", "mixed,limit"], {})).toMatchObject({
      named: true,
      sections: ["limit", "mixed"],
    });
  });
});
