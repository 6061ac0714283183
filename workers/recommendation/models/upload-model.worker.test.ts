import { beforeAll, describe, expect, it } from "vitest";
import { featureShape } from "../../../model/features/compute-features.ts";
import { modelIdentity } from "../../../model/onnx/model-identity.ts";
import { buildModel, floats, integers, modelBytes, node } from "../../../model/onnx/testing/build-model.ts";
import type { ModelManifest } from "../../../shared/contracts/model.ts";
import { sha256Hex } from "../../../shared/hash/sha256.ts";
import { applicationModels } from "../ranker/isolate-models.ts";
import { RegistryStore } from "../store.ts";
import {
  database,
  environmentWithRollout,
  type GeneratedModel,
  migrateRegistry,
  randomModel,
} from "../testing/models.ts";
import { ModelRegistry } from "./model-registry.ts";
import { servingRanker } from "./serving-rankers.ts";
import { tryModel } from "./trainer-calls.ts";
import { uploadLimits, uploadModel } from "./upload-model.ts";

const environment = environmentWithRollout({});
const now = 1_800_000_000;
const clock = () => now;

/** Returns a model with the manifest of a small one, whose file costs too much. */
async function expensiveModel(kind: "products" | "expand"): Promise<GeneratedModel> {
  const { manifest } = await randomModel("expensive", 1);
  const model =
    kind === "expand"
      ? buildModel(
          featureShape,
          [node("Expand", "one size", "big")],
          [floats("one", [1], [1]), integers("size", [16_000, 16_000])],
        )
      : buildModel(
          featureShape,
          [
            node("ConstantOfShape", "size", "m0"),
            ...Array.from({ length: 40 }, (_, i) => node("MatMul", `m${i} m0`, `m${i + 1}`)),
          ],
          [integers("size", [1024, 1024])],
        );
  const bytes = modelBytes(model);
  return {
    manifest: { ...manifest, sha256: await sha256Hex(bytes), bytes: bytes.length },
    bytes: bytes.buffer,
  };
}

beforeAll(migrateRegistry);

describe("an uploaded model", () => {
  it.each(["products", "expand"] as const)(
    "S8: is refused before it runs, wherever it enters: %s",
    async (kind) => {
      const { manifest, bytes } = await expensiveModel(kind);
      const registry = new ModelRegistry(environment, "first");
      const gate = { passed: true, forced: false, reasons: [], checks: [] };
      for (const answer of [
        await uploadModel(environment, "first", manifest, bytes, clock),
        await registry.register(manifest, bytes, now, { by: "trainer", gate }),
        await tryModel("first", manifest, bytes, 1),
      ]) {
        expect(answer).toMatchObject({ ok: false, error: { code: "invalid_input" } });
        if (!answer.ok)
          expect(answer.error.detail).toMatch(/for (n = )?500 candidates; at most [\d,]+ are allowed/);
      }
      expect(await registry.list()).toEqual([]);
    },
  );

  it("S8: with the file of another version and another manifest is a version of its own", async () => {
    const at = "twins";
    const { manifest, bytes } = await randomModel("one", 5);
    const firstStage = { people: 9, hot: 0, fresh: 0, near: 1, usual: 0, category: 0 };
    const twin = { ...manifest, version: "two", firstStage } as ModelManifest;
    const registry = new ModelRegistry(environment, at);
    expect(await registry.register(manifest, bytes, now)).toMatchObject({ ok: true });
    expect(await registry.register({ ...twin, version: "one" }, bytes, now)).toMatchObject({
      ok: false,
      error: { code: "conflict" },
    });
    expect(await tryModel(at, twin, bytes, 1)).toMatchObject({ ok: true });
    const wrong = {
      ...twin,
      golden: { ...twin.golden, outputs: { engage: [9, 9, 9, 9], purchase: [9, 9, 9, 9] } },
    };
    expect(await tryModel(at, wrong, bytes, 1)).toMatchObject({ ok: false });
  });

  it("S8: displaces no model that serves, however many are uploaded", async () => {
    const served = await randomModel("served", 9);
    await uploadModel(environment, "quiet", served.manifest, served.bytes, clock);
    const identity = await modelIdentity(served.manifest);
    expect(applicationModels.get("quiet", identity)).toMatchObject({ version: "served" });
    for (let seed = 10; seed < 20; seed++) {
      const { manifest, bytes } = await randomModel(`v${seed}`, seed);
      expect(await tryModel("busy", manifest, bytes, 1)).toMatchObject({ ok: true });
      // Models that serve another application displace its own.
      await applicationModels.load("busy", manifest, new Uint8Array(bytes), "serving");
    }
    expect(applicationModels.get("quiet", identity)).toMatchObject({ version: "served" });
    expect(await servingRanker(environment, "quiet")).toMatchObject({
      ok: true,
      value: { version: "served" },
    });
  });

  it("S8: waits while its application uploads others", async () => {
    const store = new RegistryStore(database);
    const start = (id: string, at = now, application = "many") =>
      store.startUpload({ application, id, now: at }, uploadLimits);
    expect([await start("a"), await start("b"), await start("c")]).toEqual([true, true, false]);
    expect(await start("d", now, "others")).toBe(true);
    const { manifest, bytes } = await randomModel("v1", 7);
    expect(await uploadModel(environment, "many", manifest, bytes, clock)).toMatchObject({
      ok: false,
      error: { code: "rate_limited", retryAfter: 30 },
    });
    await store.endUpload("many", "a", now);
    expect(await uploadModel(environment, "many", manifest, bytes, clock)).toMatchObject({ ok: true });
    // An upload that ended gives its place back, and an interrupted one after a while.
    expect(await start("e")).toBe(true);
    expect(await start("f")).toBe(false);
    expect(await start("g", now + uploadLimits.timeoutSeconds)).toBe(true);
    for (let i = 0; i < uploadLimits.perHour; i++) {
      await start(`h${i}`, now + 500);
      await store.endUpload("many", `h${i}`, now + 500);
    }
    expect(await start("i", now + 1000)).toBe(false);
    expect(await start("j", now + 4101)).toBe(true);
  });
});
