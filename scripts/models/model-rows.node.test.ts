import { describe, expect, it } from "vitest";
import type { ModelDetails } from "../../shared/contracts/model.ts";
import { tableLines } from "../terminal/table.ts";
import { driftRows, modelComparisonRows, modelHistoryLines, modelListRows } from "./model-rows.ts";

const dataWindow = { name: "training log", from: null, to: "2026-01-31T00:00:00.000Z", events: 1200 };
const model = (version: string, more: Partial<ModelDetails> = {}): ModelDetails => ({
  version,
  sha256: "a".repeat(64),
  status: "registered",
  parent: null,
  metrics: {},
  createdAt: "2026-01-31T12:34:56.000Z",
  promotedAt: null,
  dataWindow,
  origin: { by: "hand", gate: null },
  promotedBy: null,
  manifest: {
    version,
    sha256: "a".repeat(64),
    featureHash: "f",
    opset: 17,
    bytes: 54_351,
    parameters: 12_855,
    inputs: [],
    outputs: [],
    metrics: {},
    dataWindow,
    parent: null,
    seed: 1,
    createdAt: "2026-01-31T12:34:56.000Z",
    golden: { candidates: 1, inputs: {}, outputs: {} },
  },
  rollout: null,
  changes: [],
  drift: [],
  ...more,
});
const arm = (rate: number) => ({ people: 10, exposures: 100, successes: 100 * rate, rate });
const rolledBack = model("v2", {
  status: "rolled_back",
  metrics: { ndcg10: 0.41, gain: -0.02 },
  origin: {
    by: "recalibration r1",
    gate: {
      passed: true,
      forced: true,
      reasons: ["gain: too small"],
      checks: [
        { name: "gain", passed: false, detail: "too small" },
        { name: "size", passed: true, detail: "small" },
      ],
    },
  },
  rollout: {
    shadow: { since: "2026-01-31T12:35:00.000Z", requests: 120, failures: 1, overlap: 0.5, distance: 0.1 },
    canary: {
      since: "2026-01-31T13:00:00.000Z",
      outcomes: {
        verdict: "worse",
        reason: "surely worse",
        difference: { estimate: -0.2, low: -0.3, high: -0.1 },
        canary: arm(0.2),
        control: arm(0.4),
      },
    },
  },
  drift: [
    {
      day: "2026-01-31",
      examples: 300,
      stability: { people: 0.31, distance_log: 0.02 },
      score: { mean: 0.4, p10: 0.1, p50: 0.3, p90: 0.9, stability: 0.05 },
      calibration: { said: 0.4, came: 0.5, error: 0.12 },
      positions: [
        { position: 1, shown: 300, rate: 0.25 },
        { position: 2, shown: 300, rate: 0.125 },
      ],
    },
  ],
  changes: [{ status: "rolled_back", by: "rollout", reason: "surely worse", at: "2026-01-31T14:00:00.000Z" }],
});

describe("model rows", () => {
  it("list each version on one line, in aligned columns", () => {
    const lines = tableLines(
      modelListRows([rolledBack, model("v1", { promotedAt: "2026-01-30T00:00:00.000Z" })]),
    );
    expect(lines).toHaveLength(4);
    const at = (name: string) => lines[0].indexOf(name);
    expect(lines[2].slice(at("status")).startsWith("rolled_back")).toBe(true);
    expect(lines[2].slice(at("gate")).startsWith("forced, 1 of 2 failed")).toBe(true);
    expect(lines[2].slice(at("canary / control")).startsWith("20.0% / 40.0%")).toBe(true);
    expect(lines[3].slice(at("promoted")).startsWith("2026-01-30 00:00 by ?")).toBe(true);
  });

  it("compare versions and show drift and history", () => {
    const rows = modelComparisonRows([rolledBack, model("v1")]);
    expect(rows.every((row) => row.length === 3)).toBe(true);
    expect(rows).toContainEqual(["canary difference", "-20.0% (-30.0% to -10.0%)", "-"]);
    expect(rows).toContainEqual(["metric gain", "-0.0200", "-"]);
    const [, , day] = tableLines(driftRows(rolledBack));
    expect(day.split(/ {2,}/)).toEqual([
      ...["2026-01-31", "300", "people .31", "1 of 2", ".05", "0.400", "0.400 / 0.500", "0.120", "25% 13%"],
    ]);
    expect(modelHistoryLines(rolledBack)).toEqual([
      "v2:",
      "  2026-01-31 14:00  rolled_back by rollout: surely worse",
      "  gate: gain: too small",
    ]);
  });
});
