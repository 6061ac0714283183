import { describe, expect, it } from "vitest";
import { planSecrets } from "./shared-secrets.ts";

const needs = (worker: string, missing: string[]) => ({ worker, required: ["A_SECRET"], missing });

describe("planSecrets", () => {
  it("gives a new secret one value in all workers", () => {
    const plan = planSecrets([needs("a", ["A_SECRET"]), needs("b", ["A_SECRET"])], {});
    expect(plan.get("a")?.A_SECRET).toMatch(/^[0-9a-f]{64}$/);
    expect(plan.get("b")).toEqual(plan.get("a"));
  });

  it("never makes a second value of a secret that a worker has", () => {
    const workers = [needs("a", []), needs("b", ["A_SECRET"])];
    expect(() => planSecrets(workers, {})).toThrow(
      /worker b needs the secret A_SECRET that the worker a has/,
    );
    expect(planSecrets(workers, { A_SECRET: "kept" })).toEqual(new Map([["b", { A_SECRET: "kept" }]]));
    expect(planSecrets([needs("a", []), needs("b", [])], {}).size).toBe(0);
  });
});
