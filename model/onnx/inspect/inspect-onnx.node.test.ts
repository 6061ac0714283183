import { readFileSync } from "node:fs";
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { unwrap } from "../../../shared/contracts/result.ts";
import { featureShape } from "../../features/compute-features.ts";
import { opset } from "../export.ts";
import {
  AttributeProtoSchema,
  FunctionProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType,
  ValueInfoProtoSchema,
} from "../generated/onnx_pb.js";
import { inspectOnnx } from "./inspect-onnx.ts";
import { grouped, modelLimits } from "./limits.ts";
import { operators } from "./operators/operators.ts";

const bytes = new Uint8Array(readFileSync(join(import.meta.dirname, "../../artifacts/bundled.onnx")));

/** Returns the error detail for the bundled file after a change; an empty text if the file passes. */
function inspectChanged(change: (model: ModelProto) => void, statedOpset = opset): string {
  const model = fromBinary(ModelProtoSchema, bytes);
  change(model);
  const result = inspectOnnx(toBinary(ModelProtoSchema, model), featureShape, statedOpset);
  return result.ok ? "" : result.error.detail;
}
const graphOf = (model: ModelProto) => {
  if (!model.graph) throw new Error("The file has no graph.");
  return model.graph;
};
const inputOf = (model: ModelProto, name: string) => {
  const type = graphOf(model).input.find((each) => each.name === name)?.type?.value;
  if (type?.case !== "tensorType") throw new Error(`The file has no input "${name}".`);
  return type.value;
};

describe("inspectOnnx", () => {
  it("accepts an exported file with any names of open sizes", () => {
    expect(inspectChanged(() => undefined)).toBe("");
    expect(
      inspectChanged((model) => {
        for (const { type } of graphOf(model).input)
          if (type?.value.case === "tensorType")
            for (const dim of type.value.value.shape?.dim ?? [])
              if (dim.value.case === "dimParam") dim.value.value = "batch_size";
      }),
    ).toBe("");
  });

  it("rejects a file that is not ONNX or has no operators", () => {
    for (const file of [
      new Uint8Array(),
      new Uint8Array([1, 2, 3]),
      new TextEncoder().encode("<html>"),
      bytes.slice(0, 5000),
    ])
      expect(inspectOnnx(file, featureShape, opset)).toMatchObject({
        ok: false,
        error: { code: "invalid_input" },
      });
    expect(inspectChanged((model) => graphOf(model).node.splice(0))).toContain("no graph");
  });

  it("rejects loops, random, text and sequence operators, other domains and functions", () => {
    for (const opType of [
      "Loop",
      "If",
      "Scan",
      "RandomNormal",
      "RandomUniformLike",
      "Bernoulli",
      "StringConcat",
      "SequenceInsert",
      "Optional",
    ])
      expect(
        inspectChanged((model) =>
          graphOf(model).node.push(create(NodeProtoSchema, { opType, output: ["x"] })),
        ),
        opType,
      ).toContain(opType);
    expect(
      inspectChanged((model) =>
        graphOf(model).node.push(create(NodeProtoSchema, { opType: "FusedMatMul", domain: "com.microsoft" })),
      ),
    ).toContain("com.microsoft");
    expect(
      inspectChanged((model) => model.functions.push(create(FunctionProtoSchema, { name: "f" }))),
    ).toContain("inline");
  });

  it("rejects an operator set that differs from the manifest or is not supported", () => {
    expect(inspectChanged(() => undefined, opset + 1)).toContain(`operator set ${opset}`);
    const inspectVersion = (version: number) =>
      inspectChanged((model) => {
        model.opsetImport = [create(OperatorSetIdProtoSchema, { domain: "", version: BigInt(version) })];
      }, version);
    expect(inspectVersion(7)).toContain("not supported");
    expect(inspectVersion(99)).toContain("not supported");
    expect(inspectVersion(18)).toBe("");
    expect(inspectChanged((model) => model.opsetImport.splice(0))).toContain("none");
  });

  it("rejects weights in another file", () => {
    const moveWeightsOut = (model: ModelProto) => {
      const [tensor] = graphOf(model).initializer;
      tensor.dataLocation = TensorProto_DataLocation.EXTERNAL;
      tensor.externalData = [create(StringStringEntryProtoSchema, { key: "location", value: "/etc/passwd" })];
    };
    expect(inspectChanged(moveWeightsOut)).toContain("another file");
  });

  it("rejects inputs and outputs that differ from the features, and names them", () => {
    expect(
      inspectChanged((model) => {
        inputOf(model, "dense").elemType = TensorProto_DataType.DOUBLE;
      }),
    ).toContain('"dense"');
    expect(
      inspectChanged((model) => {
        const dim = inputOf(model, "event").shape?.dim[1];
        if (dim) dim.value = { case: "dimValue", value: 3n };
      }),
    ).toContain('"event"');
    expect(
      inspectChanged((model) => {
        const dim = inputOf(model, "dense").shape?.dim[0];
        if (dim) dim.value = { case: "dimValue", value: 4n };
      }),
    ).toContain('"dense"');
    expect(inspectChanged((model) => graphOf(model).output.splice(0, 1))).toContain('output "engage"');
    expect(
      inspectChanged((model) => graphOf(model).input.push(create(ValueInfoProtoSchema, { name: "age" }))),
    ).toContain('"age"');
    expect(
      inspectChanged((model) => {
        graphOf(model).input = graphOf(model).input.filter(({ name }) => name !== "pair");
      }),
    ).toContain('"pair"');
  });

  it("rejects an operator with a subgraph", () => {
    const body = create(AttributeProtoSchema, {
      name: "body",
      g: { node: [create(NodeProtoSchema, { opType: "RandomNormal" })] },
    });
    expect(
      inspectChanged((model) =>
        graphOf(model).node.push(create(NodeProtoSchema, { opType: "Identity", attribute: [body] })),
      ),
    ).toContain("subgraph");
  });

  it("is described by the guide: each operator and each bound", () => {
    const guide = readFileSync(join(import.meta.dirname, "../../../docs/guides/models.md"), "utf8");
    expect([...operators.keys()].filter((name) => !new RegExp(`\\b${name}\\b`).test(guide))).toEqual([]);
    const { multiplyAdds, tensorBytes } = unwrap(inspectOnnx(bytes, featureShape, opset), "the inspection");
    for (const figure of [...Object.values(modelLimits), bytes.length, multiplyAdds, tensorBytes])
      expect(guide).toContain(`| ${grouped(figure)} `);
  });
});
