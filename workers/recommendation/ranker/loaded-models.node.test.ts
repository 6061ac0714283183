import { describe, expect, it } from "vitest";
import type { FeatureShape } from "../../../model/features/batch.ts";
import { initialParameters } from "../../../model/network/parameters.ts";
import { exportOnnx } from "../../../model/onnx/export.ts";
import { batchFromInputs } from "../../../model/onnx/inputs.ts";
import { loadModelInNode } from "../../../model/onnx/load-model.node.ts";
import { buildManifest } from "../../../model/onnx/manifest.ts";
import { modelIdentity } from "../../../model/onnx/model-identity.ts";
import { randomBatch } from "../../../model/onnx/random-batch.ts";
import { buildModel, floats, integers, modelBytes, node } from "../../../model/onnx/testing/build-model.ts";
import { defaultFirstStage } from "../../../model/retrieval/first-stage.ts";
import { Random } from "../../../model/train/random.ts";
import type { ModelManifest } from "../../../shared/contracts/model.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { sha256Hex } from "../../../shared/hash/sha256.ts";
import { LoadedModels } from "./loaded-models.ts";
import type { ModelMemoryBounds } from "./model-memory.ts";

const shape: FeatureShape = {
  dense: ["a", "b"],
  pair: ["x"],
  event: ["present", "just_now"],
  history: 3,
  categories: 4,
  hash: "h",
};

/** Returns a model file with its manifest; each seed returns another model. */
async function model(seed: number): Promise<{ manifest: ModelManifest; bytes: Uint8Array<ArrayBuffer> }> {
  const parameters = initialParameters(shape, new Random(seed));
  const bytes = new Uint8Array(exportOnnx(shape, parameters));
  const session = await loadModelInNode(bytes, shape);
  const manifest = await buildManifest(shape, parameters, bytes, session, {
    version: `v${seed}`,
    parent: null,
    seed,
    createdAt: "2026-01-01T00:00:00Z",
    metrics: {},
    dataWindow: { name: "test", from: null, to: null, events: 0 },
  });
  await session.release();
  return { manifest, bytes };
}

/** Bounds for `count` of these small models, which are smaller than 600 kB, and for one on trial. */
const boundsOf = (count: number): ModelMemoryBounds => ({
  maxRegistered: count * 600 * 1024,
  maxTotal: (count + 1) * 600 * 1024,
});
const newModels = (maxModels = 2) => new LoadedModels(loadModelInNode, shape, boundsOf(maxModels));

describe("LoadedModels", () => {
  it("loads a model once for each application", async () => {
    const models = newModels();
    const { manifest, bytes } = await model(1);
    const identity = await modelIdentity(manifest);
    expect(models.get("a", identity)).toBeNull();
    const loaded = unwrap(await models.load("a", manifest, bytes, "serving"), "the ranker");
    const again = models.get("a", identity);
    expect(again).toMatchObject({ version: "v1", sha256: manifest.sha256 });
    const batch = randomBatch(shape, 5, 1);
    expect(await again?.score(batch)).toEqual(await loaded.score(batch));
    expect(models.get("b", identity)).toBeNull();
  });

  it("S8: gives two manifests of one file a ranker each, and their own first stage", async () => {
    const models = newModels();
    const { manifest, bytes } = await model(1);
    const other = { ...manifest, version: "v2", firstStage: { ...defaultFirstStage, people: 2 } };
    unwrap(await models.load("a", manifest, bytes, "serving"), "the ranker");
    const loaded = unwrap(await models.load("a", other, bytes, "serving"), "the ranker");
    expect(loaded).toMatchObject({ version: "v2", firstStage: other.firstStage });
    expect(models.get("a", await modelIdentity(manifest))).toMatchObject({
      version: "v1",
      firstStage: undefined,
    });
    const golden = { ...manifest.golden, outputs: { engage: [9, 9, 9, 9], purchase: [9, 9, 9, 9] } };
    expect(await models.load("a", { ...manifest, golden }, bytes, "serving")).toMatchObject({ ok: false });
  });

  it("drops what is no longer needed, whose ranker then fails, and refuses a model without a place", async () => {
    const models = newModels(2);
    const loadedModels = await Promise.all([1, 2, 3, 4].map(model));
    const [first, second, third, fourth] = loadedModels;
    const identities = await Promise.all(loadedModels.map(({ manifest }) => modelIdentity(manifest)));
    unwrap(await models.load("quiet", first.manifest, first.bytes, "serving"), "the ranker");
    unwrap(await models.load("busy", second.manifest, second.bytes, "serving"), "the ranker");
    expect(models.hasPlace("busy", third.manifest, "candidate")).toBe(false);
    expect(await models.load("busy", third.manifest, third.bytes, "candidate")).toMatchObject({
      ok: false,
      error: { code: "unavailable", retryAfter: 30 },
    });
    // A model on trial has memory of its own. Once it serves, the model before it is no longer needed.
    unwrap(await models.load("busy", fourth.manifest, fourth.bytes, "trial"), "the ranker");
    const stale = models.get("busy", identities[1]);
    models.assign("busy", new Map([[identities[3], "serving"]]));
    expect(models.get("busy", identities[1])).toBeNull();
    expect(models.get("busy", identities[3])).not.toBeNull();
    expect(models.get("quiet", identities[0])).not.toBeNull();
    await expect(stale?.score(randomBatch(shape, 2, 1))).rejects.toThrow();
  });

  it("S8: refuses a model that costs too much before the runtime sees it, and runs no longer list", async () => {
    let opened = 0;
    const models = new LoadedModels(
      (...file) => {
        opened++;
        return loadModelInNode(...file);
      },
      shape,
      boundsOf(2),
    );
    const { manifest, bytes } = await model(1);
    const large = modelBytes(
      buildModel(
        shape,
        [node("Expand", "one size", "big")],
        [floats("one", [1], [1]), integers("size", [16_000, 16_000])],
      ),
    );
    const claimed = { ...manifest, bytes: large.length, sha256: await sha256Hex(large) };
    const answer = await models.load("a", claimed, large, "serving");
    expect(answer.ok ? "accepted" : answer.error.detail).toMatch(
      /Expand "big".*at most 8,388,608 are allowed/,
    );
    expect(opened).toBe(0);
    const ranker = unwrap(await models.load("a", manifest, bytes, "serving"), "the ranker");
    expect(() => ranker.score(randomBatch(shape, 501, 1))).toThrow("at most 500 candidates");
  });

  it("S8: refuses a model whose scores are not finite for some list", async () => {
    const { manifest } = await model(1);
    // The logarithm of 500 - n is not finite for 500 candidates only.
    const bytes = modelBytes(
      buildModel(
        shape,
        [
          node("Shape", "dense", "sizes", { end: 1 }),
          node("Sub", "limit sizes", "rest"),
          node("Cast", "rest", "real", { to: 1 }),
          node("Log", "real", "log"),
          node("ReduceMax", "dense", "max", { axes: [1], keepdims: 0 }),
          node("Add", "max log", "engage"),
          node("Identity", "engage", "purchase"),
        ],
        [integers("limit", [500])],
      ),
    );
    const session = await loadModelInNode(bytes, shape);
    const claimed = { ...manifest, bytes: bytes.length, sha256: await sha256Hex(bytes) };
    const { candidates, inputs } = claimed.golden;
    const scores = await session.run(batchFromInputs(candidates, inputs));
    const outputs = { engage: [...scores.engage], purchase: [...scores.purchase] };
    const answer = await newModels().load(
      "a",
      { ...claimed, golden: { candidates, inputs, outputs } },
      bytes,
      "serving",
    );
    expect(answer.ok ? "accepted" : answer.error.detail).toBe(
      'For 500 candidates, "engage" must be 500 finite numbers.',
    );
    await session.release();
  });

  it("keeps one session of a file that is loaded twice at once", async () => {
    let open = 0;
    const counted = new LoadedModels(
      async (bytes, layout) => {
        const session = await loadModelInNode(bytes, layout);
        open++;
        return {
          ...session,
          release: () => {
            open--;
            return session.release();
          },
        };
      },
      shape,
      boundsOf(2),
    );
    const { manifest, bytes } = await model(1);
    const loaded = await Promise.all([
      counted.load("a", manifest, bytes, "serving"),
      counted.load("a", manifest, bytes, "serving"),
    ]);
    expect(loaded.map(({ ok }) => ok)).toEqual([true, true]);
    expect(open).toBe(1);
  });

  it("refuses a damaged file, another feature layout, or a file that is no model, with the reason", async () => {
    const models = newModels();
    const { manifest, bytes } = await model(1);
    const other = await model(2);
    const noise = new TextEncoder().encode("no protobuf");
    const cut = bytes.slice(0, bytes.length / 2);
    const cases: [unknown, Uint8Array<ArrayBuffer>, RegExp][] = [
      [{}, bytes, /manifest is not as documented/],
      [manifest, cut, /bytes/],
      [{ ...manifest, featureHash: "else" }, bytes, /features else/],
      [{ ...manifest, outputs: [] }, bytes, /two heads/],
      [{ ...manifest, golden: { ...manifest.golden, candidates: 0 } }, bytes, /at least one candidate/],
      [{ ...manifest, bytes: cut.length }, cut, /sha256/],
      [{ ...manifest, bytes: cut.length, sha256: await sha256Hex(cut) }, cut, /not ONNX/],
      [{ ...manifest, bytes: noise.length, sha256: await sha256Hex(noise) }, noise, /not ONNX/],
      [{ ...manifest, sha256: other.manifest.sha256 }, other.bytes, /golden/],
    ];
    for (const [claimed, file, reason] of cases) {
      const answer = await models.load("a", claimed, file, "serving");
      expect(answer.ok ? "accepted" : answer.error.detail).toMatch(reason);
    }
    expect((await models.load("a", manifest, bytes, "serving")).ok).toBe(true);
  });
});
