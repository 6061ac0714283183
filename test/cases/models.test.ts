import { afterAll, beforeAll, describe, expect, it } from "vitest";
import bundledManifest from "../../model/artifacts/bundled.json";
import { featureShape } from "../../model/features/compute-features.ts";
import type { NodeProto, TensorProto } from "../../model/onnx/generated/onnx_pb.js";
import { modelLimits } from "../../model/onnx/inspect/limits.ts";
import { buildModel, floats, integers, modelBytes, node } from "../../model/onnx/testing/build-model.ts";
import type { ModelRecord } from "../../shared/contracts/model.ts";
import { sha256Hex } from "../../shared/hash/sha256.ts";
import { TestStack } from "../support/test-stack.ts";

const stack = new TestStack();
beforeAll(() => stack.start());
afterAll(() => stack.stop());

/** Uploads a file with a manifest that fits it, and returns the status and the body. */
async function upload(bytes: Uint8Array<ArrayBuffer>): Promise<{ status: number; detail: string }> {
  const manifest = {
    ...bundledManifest,
    version: "expensive",
    sha256: await sha256Hex(bytes),
    bytes: bytes.length,
  };
  const form = new FormData();
  form.set("manifest", JSON.stringify(manifest));
  form.set("model", new Blob([bytes]), "model.onnx");
  const response = await fetch(`${stack.url}v1/models`, {
    method: "POST",
    headers: { authorization: "Bearer dev-admin-key" },
    body: form,
  });
  const { detail = "" } = (await response.json()) as { detail?: string };
  return { status: response.status, detail };
}
const uploadGraph = (nodes: NodeProto[], weights: TensorProto[]) =>
  upload(modelBytes(buildModel(featureShape, nodes, weights)));

describe("an application's first model", () => {
  it("S8: is refused before it runs if it costs too much, and the answer names the operator and the bound", async () => {
    const matrix = node("ConstantOfShape", "size", "m0", { value: floats("", [1], [0.001]) });
    const products = Array.from({ length: 40 }, (_, i) => node("MatMul", `m${i} m0`, `m${i + 1}`));
    const started = performance.now();
    const answers = [
      await uploadGraph([matrix, ...products], [integers("size", [1024, 1024])]),
      await uploadGraph(
        [node("Expand", "one size", "big")],
        [floats("one", [1], [1]), integers("size", [16_000, 16_000])],
      ),
      await uploadGraph([node("Loop", "dense", "x")], []),
    ];
    expect(performance.now() - started).toBeLessThan(3000);
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400]);
    expect(answers[0].detail).toContain('Operator 2, MatMul "m1"');
    expect(answers[0].detail).toContain("at most 100,000,000 are allowed");
    expect(answers[1].detail).toContain('Operator 1, Expand "big"');
    expect(answers[2].detail).toContain("Supported are Abs, Add");
    expect((await upload(new Uint8Array(modelLimits.bytes + 1))).status).toBe(413);
    const { body } = await stack.call<{ items: ModelRecord[] }>("GET", "/v1/models");
    expect(body.items.map(({ version, status }) => [version, status])).toEqual([
      [bundledManifest.version, "serving"],
    ]);
  });
});
