import { readFileSync } from "node:fs";
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { featureShape } from "../features/compute.ts";
import { opset } from "./export.ts";
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
} from "./generated/onnx_pb.js";
import { inspectOnnx } from "./inspect.ts";

const bytes = new Uint8Array(readFileSync(join(import.meta.dirname, "../artifacts/bundled.onnx")));

/** What is said of the bundled file after a change to it. */
function said(change: (model: ModelProto) => void, stated = opset): string {
  const model = fromBinary(ModelProtoSchema, bytes);
  change(model);
  const result = inspectOnnx(toBinary(ModelProtoSchema, model), featureShape, stated);
  return result.ok ? "" : result.error.detail;
}
const graphOf = (model: ModelProto) => {
  if (!model.graph) throw new Error("no graph");
  return model.graph;
};
const inputOf = (model: ModelProto, name: string) => {
  const type = graphOf(model).input.find((each) => each.name === name)?.type?.value;
  if (type?.case !== "tensorType") throw new Error(`no input ${name}`);
  return type.value;
};

describe("the inspection of a file that is brought", () => {
  it("takes what is exported here, whatever its open sizes are called", () => {
    expect(said(() => undefined)).toBe("");
    expect(
      said((model) => {
        for (const { type } of graphOf(model).input)
          if (type?.value.case === "tensorType")
            for (const dim of type.value.value.shape?.dim ?? [])
              if (dim.value.case === "dimParam") dim.value.value = "batch_size";
      }),
    ).toBe("");
  });

  it("refuses what is no ONNX, or says so little that nothing can be run", () => {
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
    expect(said((model) => graphOf(model).node.splice(0))).toContain("no graph");
  });

  it("refuses loops, randomness, texts, other domains and functions", () => {
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
        said((model) => graphOf(model).node.push(create(NodeProtoSchema, { opType, output: ["x"] }))),
        opType,
      ).toContain(opType);
    expect(
      said((model) =>
        graphOf(model).node.push(create(NodeProtoSchema, { opType: "FusedMatMul", domain: "com.microsoft" })),
      ),
    ).toContain("com.microsoft");
    expect(said((model) => model.functions.push(create(FunctionProtoSchema, { name: "f" })))).toContain(
      "inline",
    );
  });

  it("refuses another operator set than the manifest's, and ones that are not served", () => {
    expect(said(() => undefined, opset + 1)).toContain(`operator set ${opset}`);
    const of = (version: number) =>
      said((model) => {
        model.opsetImport = [create(OperatorSetIdProtoSchema, { domain: "", version: BigInt(version) })];
      }, version);
    expect(of(7)).toContain("not taken");
    expect(of(99)).toContain("not taken");
    expect(of(18)).toBe("");
    expect(said((model) => model.opsetImport.splice(0))).toContain("none");
  });

  it("refuses weights in another file", () => {
    const outside = (model: ModelProto) => {
      const [tensor] = graphOf(model).initializer;
      tensor.dataLocation = TensorProto_DataLocation.EXTERNAL;
      tensor.externalData = [create(StringStringEntryProtoSchema, { key: "location", value: "/etc/passwd" })];
    };
    expect(said(outside)).toContain("another file");
  });

  it("refuses inputs and outputs that are not those of the features, and says which", () => {
    expect(
      said((model) => {
        inputOf(model, "dense").elemType = TensorProto_DataType.DOUBLE;
      }),
    ).toContain('"dense"');
    expect(
      said((model) => {
        const dim = inputOf(model, "event").shape?.dim[1];
        if (dim) dim.value = { case: "dimValue", value: 3n };
      }),
    ).toContain('"event"');
    expect(
      said((model) => {
        const dim = inputOf(model, "dense").shape?.dim[0];
        if (dim) dim.value = { case: "dimValue", value: 4n };
      }),
    ).toContain('"dense"');
    expect(said((model) => graphOf(model).output.splice(0, 1))).toContain('output "engage"');
    expect(
      said((model) => graphOf(model).input.push(create(ValueInfoProtoSchema, { name: "age" }))),
    ).toContain('"age"');
    expect(
      said((model) => {
        graphOf(model).input = graphOf(model).input.filter(({ name }) => name !== "pair");
      }),
    ).toContain('"pair"');
  });

  it("finds what is refused inside an operator's own graph too", () => {
    const body = create(AttributeProtoSchema, {
      name: "body",
      g: { node: [create(NodeProtoSchema, { opType: "RandomNormal" })] },
    });
    expect(
      said((model) =>
        graphOf(model).node.push(create(NodeProtoSchema, { opType: "Identity", attribute: [body] })),
      ),
    ).toContain("graph of its own");
  });
});
