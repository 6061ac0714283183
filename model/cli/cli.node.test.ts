import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { writeDataset } from "../data/write-dataset.ts";
import { simulate } from "../simulate/simulate.ts";

const folder = mkdtempSync(join(tmpdir(), "vicinity-model-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The size of the simulated dataset; `npm run test:long` takes more. */
const size =
  process.env.VICINITY_LONG === "1"
    ? { products: 400, users: 12, events: 500, days: 20 }
    : { products: 200, users: 8, events: 250, days: 20 };

const run = (command: "train" | "evaluate", ...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(import.meta.dirname, `${command}.ts`), ...args],
    { encoding: "utf8" },
  );
  return { status, stdout, stderr };
};

/** Writes files into a new folder and returns its path. */
function write(name: string, files: readonly { name: string; text: string }[]): string {
  const data = join(folder, name);
  mkdirSync(data, { recursive: true });
  for (const file of files) writeFileSync(join(data, file.name), file.text);
  return data;
}

describe("the commands train and evaluate", () => {
  it("train a model, resume the training, and evaluate the model", { timeout: 120_000 }, () => {
    const { dataset } = simulate(size, 5, 1_760_000_000);
    const data = write("market", writeDataset(dataset));
    const out = join(folder, "model");
    const first = run("train", "--data", data, "--out", out);
    expect(first.stderr).toBe("");
    expect(first.status).toBe(0);
    expect(first.stdout).toMatch(/epoch \d+\/\d+ .* loss .* AUC .* samples\/s .* left/);
    const manifest = JSON.parse(readFileSync(join(out, "model.json"), "utf8"));
    expect(manifest.bytes).toBe(readFileSync(join(out, "model.onnx")).length);
    expect(manifest.dataWindow.events).toBe(
      dataset.train.length + dataset.valid.length + dataset.test.length,
    );

    expect(run("train", "--data", data, "--out", out, "--resume").stdout).toMatch(/Resuming after epoch \d+/);

    const json = join(folder, "report.json");
    const report = run("evaluate", "--data", data, "--model", out, "--json", json);
    expect(report.status).toBe(0);
    expect(report.stdout).toContain("frequencyMarkov");
    const evaluation = JSON.parse(readFileSync(json, "utf8"));
    expect(Object.keys(evaluation.methods).sort()).toEqual(
      [
        ...["popularity", "distance", "frequency", "frequencyMarkov", "itemTransitions"],
        ...["heuristic", "orderHeuristic", "itemKnn", "ease", "pipeline"],
      ].sort(),
    );
    expect(Object.keys(evaluation.parameters)).toEqual(["heuristic", "orderHeuristic", "itemKnn", "ease"]);
    expect(report.stdout).toMatch(/^ease: lambda \d+, own [\d.]+, halfLife \d+$/m);
    expect([evaluation.on, evaluation.world]).toEqual(["test", "given"]);
    expect(evaluation.methods.pipeline.overallWithoutCold.n).toBe(evaluation.methods.pipeline.overall.n);
    expect(Object.keys(evaluation.recall)).toEqual(["100", "200", "500", "1000"]);
  });

  it("accept a dataset of ordered user and product ids without times", { timeout: 60_000 }, () => {
    const lines = ["user_id:token\titem_id:token"];
    for (let i = 0; i < 300; i++) lines.push(`u${i % 5}\tp${(i * i) % 17}`);
    const data = write("bare", [{ name: "bare.inter", text: lines.join("\n") }]);
    const out = join(folder, "bare-model");
    expect(run("train", "--data", data, "--out", out).status).toBe(0);
    const report = run("evaluate", "--data", data, "--model", out);
    expect(report.stderr).toBe("");
    expect(report.stdout).toContain("bare: 60 events evaluated");
  });

  it("print an error in one line", () => {
    const lines = (text: string): number => text.trim().split("\n").length;
    const missing = run("evaluate", "--data", join(folder, "nowhere"));
    expect(missing.status).toBe(1);
    expect(missing.stderr).toContain("does not exist");
    expect(lines(missing.stderr)).toBe(1);
    const empty = run("train", "--data", write("empty", []), "--out", folder);
    expect(empty.stderr).toContain("no .inter file");
    expect(lines(empty.stderr)).toBe(1);
    expect(run("evaluate", "--simulated", "--seeds", "none").stderr).toContain(
      "--seeds must be a whole number",
    );
    expect(run("train", "--data", folder).stderr).toContain("Usage: npm run train");
    expect(run("evaluate", "--simulated", "--counts", "all").stderr).toContain("--counts must be one of");
    expect(run("evaluate", "--fast").stderr).toContain("Unknown option '--fast'");
  });
});
