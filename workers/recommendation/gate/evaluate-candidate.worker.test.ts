import { beforeAll, describe, expect, it } from "vitest";
import bundled from "../../../model/artifacts/bundled.onnx";
import { featureShape } from "../../../model/features/compute-features.ts";
import type { Parameters } from "../../../model/network/parameters.ts";
import { readParameters } from "../../../model/onnx/read-parameters.ts";
import { syntheticLog } from "../../../model/recalibrate/testing/synthetic-log.ts";
import { writeLog } from "../../../shared/training-log/testing/write-log.ts";
import { ModelRegistry } from "../models/model-registry.ts";
import {
  environmentWithRollout,
  type GeneratedModel,
  migrateRegistry,
  modelWithWeights,
  randomModel,
  trainingLog,
} from "../testing/models.ts";
import { negateHeads } from "../testing/negate-heads.ts";

const application = "judged";
const now = Date.now() / 1000;
// The synthetic log does not follow the bundled model's probabilities, so calibration is not tested.
const environment = environmentWithRollout({
  gate: { maxCalibrationError: 1, maxCalibrationRatio: 1e6, maxLogLossShare: 100 },
  shadow: { minSeconds: 1000 },
});

const good = (): Parameters => {
  const weights = readParameters(featureShape, new Uint8Array(bundled));
  if (weights === null) throw new Error("the bundled model has another architecture");
  return weights;
};
const register = async ({ manifest, bytes }: GeneratedModel, env = environment, at = application) =>
  new ModelRegistry(env, at).register(manifest, bytes, now);

beforeAll(async () => {
  await migrateRegistry();
  await writeLog(
    trainingLog,
    application,
    syntheticLog(good(), { examples: 800, users: 100, seed: 5, until: now - 60, shift: 0 }),
  );
});

describe("ModelRegistry.register", () => {
  it("promotes the first model at once, and starts the shadow of a later model that the gate finds better", async () => {
    expect(await register(await randomModel("random", 4))).toMatchObject({
      ok: true,
      value: { status: "serving" },
    });
    const better = await register(await modelWithWeights("better", good()));
    expect(better).toMatchObject({ ok: true, value: { status: "shadow", origin: { by: "hand" } } });
    if (better.ok) {
      expect(better.value.origin.gate).toMatchObject({ passed: true, reasons: [] });
      expect(better.value.origin.gate?.checks.map(({ name }) => name)).toEqual(
        expect.arrayContaining(["gain", "slices", "latency", "golden vectors", "size"]),
      );
    }
  });

  it("refuses a worse model with reasons, unless the gate is forced", async () => {
    const at = "defended";
    await writeLog(
      trainingLog,
      at,
      syntheticLog(good(), { examples: 800, users: 100, seed: 6, until: now - 60, shift: 0 }),
    );
    await register(await modelWithWeights("good", good()), environment, at);
    const worse = await register(await modelWithWeights("worse", negateHeads(good())), environment, at);
    expect(worse).toMatchObject({ ok: true, value: { status: "refused" } });
    if (worse.ok)
      expect(worse.value.origin.gate?.reasons.some((reason) => reason.startsWith("gain:"))).toBe(true);
    const details = await new ModelRegistry(environment, at).details("worse");
    expect(details).toMatchObject({ ok: true, value: { changes: [{ status: "refused" }], rollout: null } });
    const forced = await register(
      await modelWithWeights("forced", negateHeads(good())),
      environmentWithRollout({ gate: { forced: true } }),
      at,
    );
    expect(forced).toMatchObject({
      ok: true,
      value: { status: "shadow", origin: { gate: { passed: true, forced: true } } },
    });
  });

  it("judges a model by users who are held out, as far as they have lists enough", async () => {
    const judgedBy = async (at: string, holdoutShare: number): Promise<string> => {
      await writeLog(
        trainingLog,
        at,
        syntheticLog(good(), { examples: 800, users: 100, seed: 7, until: now - 60, shift: 0 }),
      );
      const env = environmentWithRollout({ gate: { forced: true, holdoutShare } });
      await register(await randomModel("random", 4), env, at);
      const found = await register(await modelWithWeights("better", good()), env, at);
      if (!found.ok) throw new Error(found.error.detail);
      return found.value.origin.gate?.checks.find(({ name }) => name === "newest outcomes")?.detail ?? "";
    };
    expect(await judgedBy("held-out", 0.4)).toContain("of users who are held out");
    expect(await judgedBy("few-held-out", 0.05)).toContain("in the newest window, since users");
  });

  it("refuses a model if the log holds no outcomes", async () => {
    const at = "silent";
    await register(await randomModel("first", 3), environment, at);
    const second = await register(await randomModel("second", 4), environment, at);
    expect(second).toMatchObject({ ok: true, value: { status: "refused" } });
  });

  it("refuses and does not store a file that is damaged or does not match its manifest", async () => {
    const at = "broken";
    const file = await randomModel("broken", 1);
    const { manifest } = file;
    const cut = file.bytes.slice(0, 1000);
    const golden = { ...manifest.golden, outputs: { engage: [9, 9, 9, 9], purchase: [9, 9, 9, 9] } };
    const broken: [GeneratedModel, string][] = [
      [{ ...file, bytes: cut }, "bytes"],
      [{ ...file, manifest: { ...manifest, sha256: "0".repeat(64) } }, "sha256"],
      [{ ...file, manifest: { ...manifest, featureHash: "other" } }, "features"],
      [{ ...file, manifest: { ...manifest, opset: 18 } }, "operator set"],
      [{ ...file, manifest: { ...manifest, golden } }, "golden"],
      [{ ...file, manifest: { ...manifest, inputs: manifest.inputs.slice(1) } }, "inputs"],
      [{ ...file, bytes: new ArrayBuffer(9 * 1024 * 1024) }, "at most"],
    ];
    for (const [each, why] of broken) {
      const result = await register(each, environment, at);
      expect(result.ok, why).toBe(false);
      if (!result.ok) expect(result.error.detail).toContain(why);
    }
    expect(await new ModelRegistry(environment, at).list()).toEqual([]);
    expect(await register(file, environment, at)).toMatchObject({ ok: true, value: { status: "serving" } });
    const other = await randomModel("broken", 2);
    expect(await register(other, environment, at)).toMatchObject({ ok: false, error: { code: "conflict" } });
    expect(await register(file, environment, at)).toMatchObject({ ok: true, value: { status: "serving" } });
  });
});
