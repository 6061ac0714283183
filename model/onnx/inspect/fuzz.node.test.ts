import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { featureShape } from "../../features/compute-features.ts";
import { ModelProtoSchema } from "../generated/onnx_pb.js";
import { anyGraph } from "../testing/any-graph.ts";
import { buildModel, modelBytes } from "../testing/build-model.ts";
import { cpuMs } from "../testing/cpu-ms.node.ts";
import { inspectOnnx } from "./inspect-onnx.ts";
import { modelLimits } from "./limits.ts";

const bundled = new Uint8Array(readFileSync(join(import.meta.dirname, "../../artifacts/bundled.onnx")));

/** CPU time in which any file is inspected, in milliseconds. */
const maxMs = 1000;

/** Inspects bytes. The inspection must answer, by its codes, in time, and within its limits. */
function inspect(bytes: Uint8Array): boolean {
  const started = cpuMs();
  const result = inspectOnnx(bytes, featureShape, 17);
  expect(cpuMs() - started).toBeLessThan(maxMs);
  if (result.ok) {
    expect(result.value.multiplyAdds).toBeLessThanOrEqual(modelLimits.multiplyAdds);
    expect(result.value.tensorBytes).toBeLessThanOrEqual(modelLimits.totalTensorBytes);
  } else {
    expect(["invalid_input", "too_large"]).toContain(result.error.code);
    expect(result.error.detail).toMatch(/\.$/);
  }
  return result.ok;
}

describe("S8: inspectOnnx, in bounded CPU time", () => {
  it("answers for the bundled file with changed, removed and repeated bytes", () => {
    expect(inspect(bundled)).toBe(true);
    // Most of the file is weights, in which any byte is right: half of the changes are outside.
    const header = 6000;
    const position = fc.oneof(
      fc.nat(header),
      fc.nat(bundled.length - 1),
      fc.nat(header).map((i) => bundled.length - 1 - i),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(position, fc.nat(255)), { minLength: 1, maxLength: 6 }),
        fc.option(fc.tuple(position, position)),
        (changes, cut) => {
          const bytes = bundled.slice();
          for (const [at, value] of changes) bytes[at] = value;
          if (!cut) inspect(bytes);
          else {
            const [from, to] = cut;
            const parts = [bytes.subarray(0, from), bytes.subarray(to)];
            inspect(new Uint8Array(parts.flatMap((part) => [...part])));
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it("answers for any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(inspect(bytes)).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  it("answers for graphs of supported operators with any inputs and attributes", () => {
    fc.assert(
      fc.property(anyGraph, ({ nodes, weights }) => {
        const bytes = modelBytes(buildModel(featureShape, nodes, weights));
        expect(() => fromBinary(ModelProtoSchema, bytes)).not.toThrow();
        inspect(bytes);
      }),
      { numRuns: 3000 },
    );
  });
});
