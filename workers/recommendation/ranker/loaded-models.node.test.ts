import { describe, expect, it } from "vitest";
import type { FeatureShape } from "../../../model/features/batch.ts";
import { initialParameters } from "../../../model/network/parameters.ts";
import { exportOnnx } from "../../../model/onnx/export.ts";
import { manifestOf, randomBatch } from "../../../model/onnx/manifest.ts";
import { nodeSession } from "../../../model/onnx/runtime.node.ts";
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

/** A file with its manifest, each seed another. */
async function model(seed: number): Promise<{ manifest: ModelManifest; bytes: Uint8Array<ArrayBuffer> }> {
  const parameters = initialParameters(shape, new Random(seed));
  const bytes = new Uint8Array(exportOnnx(shape, parameters));
  const session = await nodeSession(bytes, shape);
  const manifest = await manifestOf(shape, parameters, bytes, session, {
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

const models = (most = 2) => new LoadedModels(nodeSession, shape, most);

describe("the models that an isolate holds", () => {
  it("are loaded once and rank under the name that they were asked for", async () => {
    const held = models();
    const { manifest, bytes } = await model(1);
    expect(held.get(manifest)).toBeNull();
    const loaded = unwrap(await held.load(manifest, bytes), "the ranker");
    const other = held.get({ version: "elsewhere", sha256: manifest.sha256 });
    expect(other).toMatchObject({ version: "elsewhere", sha256: manifest.sha256 });
    const batch = randomBatch(shape, 5, 1);
    expect(await other?.score(batch)).toEqual(await loaded.score(batch));
  });

  it("drop the least recently used, whose ranker fails from then on", async () => {
    const held = models(2);
    const [first, second, third] = await Promise.all([model(1), model(2), model(3)]);
    await held.load(first.manifest, first.bytes);
    await held.load(second.manifest, second.bytes);
    const stale = held.get(second.manifest);
    held.get(first.manifest);
    await held.load(third.manifest, third.bytes);
    expect(held.get(second.manifest)).toBeNull();
    expect(held.get(first.manifest)).not.toBeNull();
    expect(held.get(third.manifest)).not.toBeNull();
    await expect(stale?.score(randomBatch(shape, 2, 1))).rejects.toThrow();
  });

  it("hold one session of a file that is loaded twice at once", async () => {
    let open = 0;
    const counted = new LoadedModels(
      async (bytes, of) => {
        const session = await nodeSession(bytes, of);
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

  it("refuse what is damaged, made for other features, or no model, and say why", async () => {
    const held = models();
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
      const answer = await held.load(claimed, file);
      expect(answer.ok ? "taken" : answer.error.detail).toMatch(reason);
    }
    expect((await held.load(manifest, bytes)).ok).toBe(true);
  });
});
