import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resultsOf, type VariantSample } from "./experiment-results.ts";
import { resultsPlot } from "./results-plot.ts";
import { metricOfUsers } from "./user-metric.ts";

const settings = {
  goal: "conversion" as const,
  guardrails: ["latency" as const],
  alpha: 0.05,
  expectedUsers: 10_000,
};

/** Returns a variant of users of whom a share buys, with one list each. */
function variant(name: string, users: number, conversion: number, latency = 50): VariantSample {
  const all = Array.from({ length: users }, (_, i) => i);
  return {
    ...{ name, share: 1, users, lists: users },
    metrics: {
      conversion: metricOfUsers(all.map((i) => ({ y: i < conversion * users ? 1 : 0, x: 1 }))),
      latency: metricOfUsers(all.map((i) => ({ y: latency + (i % 10), x: 1 }))),
    },
  };
}
const results = (...variants: VariantSample[]) => resultsOf(variants, settings);

describe("resultsOf", () => {
  it("says which variant is better, with the difference in percent and its interval", () => {
    const { verdict, sentence, variants } = results(
      variant("control", 10_000, 0.2),
      variant("fast", 10_000, 0.25),
    );
    expect(verdict).toBe("better");
    expect(sentence).toMatch(/^fast is better than control: conversion \+25% \(\+1[5-9].*% to \+3.*%\)\.$/);
    expect(variants[0].metrics[0]).toEqual({
      metric: "conversion",
      value: 0.2,
      effectiveUsers: expect.any(Number),
    });
    expect(variants[1].metrics.map(({ metric, verdict: each }) => [metric, each])).toEqual([
      ["conversion", "better"],
      ["latency", "open"],
    ]);
  });

  it("puts harm first: a guardrail that is worse, also if the goal is better", () => {
    const { verdict, sentence } = results(variant("control", 10_000, 0.2), variant("slow", 10_000, 0.25, 80));
    expect(verdict).toBe("worse");
    expect(sentence).toContain("slow: latency +");
    expect(results(variant("control", 10_000, 0.2), variant("fast", 10_000, 0.25, 20)).verdict).toBe(
      "better",
    );
  });

  it("says that it is too early, that nothing is certain, or that users got lost", () => {
    expect(results(variant("control", 60, 0.2), variant("b", 60, 0.5)).verdict).toBe("too-early");
    const open = results(variant("control", 5000, 0.2), variant("b", 5000, 0.205), variant("c", 5000, 0.2));
    expect(open.verdict).toBe("open");
    expect(open.sentence).toContain("No difference is certain yet: b: conversion +2.5%");
    const fault = results(variant("control", 10_000, 0.2), variant("b", 9000, 0.3));
    expect(fault.verdict).toBe("fault");
    expect(fault.sentence).toContain("10000 in control, 9000 in b");
  });
});

describe("a guardrail with a margin", () => {
  const withMargin = (slower: number, users: number, conversion = 0.25, margin = 0.1) =>
    resultsOf([variant("control", users, 0.2), variant("b", users, conversion, 50 * slower)], {
      ...settings,
      guardrails: [{ metric: "latency", margin }],
    });
  const latencyOf = ({ variants }: ReturnType<typeof withMargin>) => variants[1].metrics[1];

  it("is kept by a variant that is certainly worse by less, which may win then", () => {
    const { verdict, sentence, ...found } = withMargin(1.05, 10_000);
    expect(latencyOf({ verdict, sentence, ...found })).toMatchObject({ verdict: "notWorse", margin: 0.1 });
    expect(verdict).toBe("better");
    expect(sentence).toMatch(
      /^b is better than control: conversion \+25% .*; latency is at most 10% worse\.$/,
    );
    expect(withMargin(1.2, 10_000).verdict).toBe("worse");
    expect(withMargin(1.2, 10_000, 0.25, 0.5).verdict).toBe("better");
  });

  it("holds a winner back until it is certain", () => {
    const { verdict, sentence, ...found } = withMargin(1.109, 3000);
    expect(latencyOf({ verdict, sentence, ...found }).verdict).toBe("open");
    expect(verdict).toBe("open");
    expect(sentence).toContain("It is not certain yet that latency is at most 10% worse.");
  });

  it("says `notWorse` only where less than the margin is lost, and `worse` only where more is", () => {
    const share = fc.double({ min: 0.05, max: 0.9, noNaN: true });
    fc.assert(
      fc.property(share, share, fc.double({ min: 0.01, max: 0.9, noNaN: true }), (control, other, margin) => {
        const [, b] = resultsOf([variant("control", 2000, control), variant("b", 2000, other)], {
          ...{ goal: "clickThrough", guardrails: [{ metric: "conversion", margin }] },
          ...{ alpha: 0.05, expectedUsers: 4000 },
        }).variants;
        const { verdict, value } = b.metrics[1];
        const bound = (1 - margin) * (Math.ceil(control * 2000) / 2000);
        if (verdict === "notWorse") expect(value).toBeGreaterThan(bound);
        if (verdict === "worse") expect(value).toBeLessThan(bound);
      }),
      { numRuns: 50 },
    );
  });
});

describe("resultsPlot", () => {
  it("draws a line for each metric of each variant, in colors for light and dark, and escapes texts", () => {
    const found = results(variant("control", 9000, 0.2), variant("b", 9000, 0.25), variant("c", 9000, 0.2));
    const svg = resultsPlot({ name: "a<b", ...found });
    expect(svg.match(/<circle/g)).toHaveLength(4);
    expect(svg).toContain("a&lt;b");
    expect(svg).not.toContain("a<b");
    expect(svg).toContain("prefers-color-scheme: dark");
    expect(svg).toContain(">conversion<");
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  it("shows what is too early to say", () => {
    const svg = resultsPlot({ name: "early", ...results(variant("control", 0, 0), variant("b", 3, 1)) });
    expect(svg).toContain("too early");
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });
});
