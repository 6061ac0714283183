import { describe, expect, it } from "vitest";
import type { FeatureShape } from "../../../model/features/batch.ts";
import { initialParameters } from "../../../model/network/parameters.ts";
import { exportOnnx } from "../../../model/onnx/export.ts";
import { loadModelInNode } from "../../../model/onnx/load-model.node.ts";
import { buildManifest } from "../../../model/onnx/manifest.ts";
import { randomBatch } from "../../../model/onnx/random-batch.ts";
import { Random } from "../../../model/train/random.ts";
import type { ModelManifest } from "../../../shared/contracts/model.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { sha256Hex } from "../../../shared/hash/sha256.ts";
import { LoadedModels } from "./loaded-models.ts";

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

const newModels = (maxModels = 2) => new LoadedModels(loadModelInNode, shape, maxModels);

describe("LoadedModels", () => {
  it("loads a file once and returns rankers under the requested version", async () => {
    const models = newModels();
    const { manifest, bytes } = await model(1);
    expect(models.get(manifest)).toBeNull();
    const loaded = unwrap(await models.load(manifest, bytes), "the ranker");
    const other = models.get({ version: "elsewhere", sha256: manifest.sha256 });
    expect(other).toMatchObject({ version: "elsewhere", sha256: manifest.sha256 });
    const batch = randomBatch(shape, 5, 1);
    expect(await other?.score(batch)).toEqual(await loaded.score(batch));
  });

  it("drops the least recently used model, whose ranker then fails", async () => {
    const models = newModels(2);
    const [first, second, third] = await Promise.all([model(1), model(2), model(3)]);
    await models.load(first.manifest, first.bytes);
    await models.load(second.manifest, second.bytes);
    const stale = models.get(second.manifest);
    models.get(first.manifest);
    await models.load(third.manifest, third.bytes);
    expect(models.get(second.manifest)).toBeNull();
    expect(models.get(first.manifest)).not.toBeNull();
    expect(models.get(third.manifest)).not.toBeNull();
    await expect(stale?.score(randomBatch(shape, 2, 1))).rejects.toThrow();
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
      2,
    );
    const { manifest, bytes } = await model(1);
    const loaded = await Promise.all([counted.load(manifest, bytes), counted.load(manifest, bytes)]);
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
      const answer = await models.load(claimed, file);
      expect(answer.ok ? "accepted" : answer.error.detail).toMatch(reason);
    }
    expect((await models.load(manifest, bytes)).ok).toBe(true);
  });
});
