import { describe, expect, it } from "vitest";
import bytes from "../../../model/artifacts/bundled.onnx";
import { featureShape } from "../../../model/features/compute-features.ts";
import { initialParameters } from "../../../model/network/parameters.ts";
import { exportOnnx } from "../../../model/onnx/export.ts";
import { buildManifest } from "../../../model/onnx/manifest.ts";
import { randomBatch } from "../../../model/onnx/random-batch.ts";
import { Random } from "../../../model/train/random.ts";
import { scoreByTape } from "../../../model/train/train.ts";
import { applicationModels, bundledModel } from "./isolate-models.ts";
import { openSession, runtimeMemoryBytes } from "./open-session.ts";

const facts = {
  version: "v1",
  parent: null,
  seed: 1,
  createdAt: "2026-01-01T00:00:00Z",
  metrics: {},
  dataWindow: { name: "test", from: null, to: null, events: 0 },
};

describe("the ONNX runtime in workerd", () => {
  it("loads the bundled model, which fits the features and reproduces its golden vectors", async () => {
    if (!bundledModel.ok) throw new Error(bundledModel.error.detail);
    const scores = await bundledModel.value.score(randomBatch(featureShape, 500, 1));
    expect(scores.engage).toHaveLength(500);
    expect(scores.engage.every(Number.isFinite) && scores.purchase.every(Number.isFinite)).toBe(true);
  });

  it("returns the tape's scores within 1e-5 for exported and loaded files", async () => {
    const parameters = initialParameters(featureShape, new Random(5));
    const file = new Uint8Array(exportOnnx(featureShape, parameters));
    const session = await openSession(file, featureShape);
    const loaded = await applicationModels.load(
      "test",
      await buildManifest(featureShape, parameters, file, session, facts),
      file,
      "serving",
    );
    if (!loaded.ok) throw new Error(loaded.error.detail);
    for (const count of [0, 1, 100]) {
      const batch = randomBatch(featureShape, count, count);
      const tape = scoreByTape(featureShape, parameters, batch);
      const served = await loaded.value.score(batch);
      for (const head of ["engage", "purchase"] as const)
        for (let i = 0; i < count; i++)
          expect(Math.abs(served[head][i] - tape[head][i])).toBeLessThanOrEqual(1e-5);
    }
    await session.release();
  });

  it("isolates sessions that are opened and run concurrently", async () => {
    const file = new Uint8Array(bytes);
    const sessions = await Promise.all([1, 2, 3].map(() => openSession(file, featureShape)));
    const batch = randomBatch(featureShape, 50, 9);
    const all = await Promise.all(sessions.flatMap((each) => [each.run(batch), each.run(batch)]));
    for (const scores of all) expect(scores).toEqual(all[0]);
    for (const each of sessions) await each.release();
  });

  it("takes no more memory than counted, however many models of many applications are loaded", async () => {
    const megabyte = 1024 * 1024;
    const batch = randomBatch(featureShape, 500, 1);
    for (let seed = 0; seed < 60; seed++) {
      const parameters = initialParameters(featureShape, new Random(seed));
      const file = new Uint8Array(exportOnnx(featureShape, parameters));
      const session = await openSession(file, featureShape);
      const manifest = await buildManifest(featureShape, parameters, file, session, facts);
      await session.release();
      const loaded = await applicationModels.load(`tenant-${seed}`, manifest, file, "serving");
      if (loaded.ok) await loaded.value.score(batch);
      else expect(loaded.error.code).toBe("unavailable");
      // 24 MB of registered models, 5 MB of tensors, 4 MB of the runtime; the memory grows by a fifth at a time.
      expect(runtimeMemoryBytes()).toBeLessThanOrEqual(1.2 * (24 + 5 + 4) * megabyte);
    }
    expect(runtimeMemoryBytes()).toBeGreaterThanOrEqual(16 * megabyte);
    expect(applicationModels.bytes).toBeGreaterThan(23 * megabyte);
    expect(applicationModels.bytes).toBeLessThanOrEqual(24 * megabyte);
  });

  it("restores WebAssembly.instantiate", async () => {
    const before = WebAssembly.instantiate;
    await expect(openSession(new Uint8Array([1, 2, 3]), featureShape)).rejects.toThrow();
    expect(WebAssembly.instantiate).toBe(before);
  });
});
