import { describe, expect, it } from "vitest";
import { baselineArgument, baselineUsage, parametersLine, parseBaselines } from "./baseline-arguments.ts";

describe("parseBaselines", () => {
  it("knows the choices that the usage names, and refuses others", () => {
    expect(baselineUsage).toContain("counting|all");
    expect(() => parseBaselines(baselineArgument.baselines.default)).not.toThrow();
    for (const name of ["", "none"])
      expect(() => parseBaselines(name)).toThrow(`must be counting or all; got "${name}"`);
  });

  it("makes no more methods if only counting is asked for", () => {
    const empty = {
      name: "d",
      items: new Map(),
      train: [],
      valid: [],
      test: [],
      problems: [],
      rejectedRows: 0,
    };
    expect(parseBaselines("counting")(empty)).toEqual([]);
  });
});

describe("parametersLine", () => {
  it("names each parameter with its value", () => {
    expect(parametersLine({ name: "ease", parameters: { lambda: 50, own: 2 } })).toBe(
      "ease: lambda 50, own 2",
    );
  });
});
