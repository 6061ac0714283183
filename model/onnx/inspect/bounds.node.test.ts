import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { describe, expect, it } from "vitest";
import { featureShape } from "../../features/compute-features.ts";
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  SparseTensorProtoSchema,
  type TensorProto,
  TensorProto_DataType,
  TensorProtoSchema,
  TrainingInfoProtoSchema,
} from "../generated/onnx_pb.js";
import { buildModel, floats, integers, modelBytes, node } from "../testing/build-model.ts";
import { cpuMs } from "../testing/cpu-ms.node.ts";
import { inspectOnnx } from "./inspect-onnx.ts";
import { modelLimits } from "./limits.ts";

/** Returns why a model is refused; an empty text if it passes. */
function refusalOf(model: ModelProto | Uint8Array): string {
  const bytes = model instanceof Uint8Array ? model : modelBytes(model);
  const result = inspectOnnx(bytes, featureShape, 17);
  return result.ok ? "" : result.error.detail;
}
const refusalOfGraph = (nodes: NodeProto[], weights: TensorProto[] = []): string =>
  refusalOf(buildModel(featureShape, nodes, weights));

/** Nodes that compute a matrix of `size` x `size` numbers from a few bytes. */
const largeMatrix = (size: number): [NodeProto[], TensorProto[]] => [
  [node("ConstantOfShape", "size", "m0", { value: floats("", [1], [0.001]) })],
  [integers("size", [size, size])],
];

describe("inspectOnnx, before a runtime sees the model", () => {
  it("S8: refuses 40 products of 1024 x 1024 matrices in a file of a few kilobytes", () => {
    const [nodes, weights] = largeMatrix(1024);
    for (let i = 0; i < 40; i++) nodes.push(node("MatMul", `m${i} m0`, `m${i + 1}`));
    const model = buildModel(featureShape, nodes, weights);
    expect(modelBytes(model).length).toBeLessThan(56_000);
    expect(refusalOf(model)).toMatch(
      /^Operator 2, MatMul "m1": the operators up to here cost 1,\d{3},\d{3},\d{3} multiply-adds for 500 candidates; at most 100,000,000 are allowed/,
    );
  });

  it("S8: refuses an Expand to 16000 x 16000", () => {
    const [one, size] = [floats("one", [1], [1]), integers("size", [16_000, 16_000])];
    expect(refusalOfGraph([node("Expand", "one size", "big")], [one, size])).toBe(
      'Operator 1, Expand "big": its output "big" of size [16000, 16000] has 1,024,000,000 bytes for n = 500 candidates; at most 8,388,608 are allowed.',
    );
  });

  it("S8: refuses sizes that are computed from a boolean other than 0 and 1, which the runtime reads as 1", () => {
    const computed = (flag: Partial<TensorProto>): [NodeProto[], TensorProto[]] => [
      [
        node("Cast", "flag", "whole", { to: TensorProto_DataType.INT64 }),
        node("Sub", "expected whole", "difference"),
        node("Mul", "difference factor", "size"),
        node("ConstantOfShape", "size", "big"),
      ],
      [
        create(TensorProtoSchema, {
          name: "flag",
          dims: [1n],
          dataType: TensorProto_DataType.BOOL,
          int32Data: flag.int32Data ?? [],
          rawData: flag.rawData ?? new Uint8Array(),
        }),
        integers("expected", [2]),
        integers("factor", [1000]),
      ],
    ];
    expect(refusalOfGraph(...computed({ int32Data: [1] }))).toBe("");
    for (const flag of [{ int32Data: [2] }, { int32Data: [256] }, { rawData: new Uint8Array([2]) }])
      expect(refusalOfGraph(...computed(flag))).toBe('The weights "flag" has a boolean that is not 0 or 1.');
  });

  it("S8: refuses tensors that grow in one step", () => {
    const cases: [NodeProto[], TensorProto[]][] = [
      largeMatrix(20_000),
      [[node("ConstantOfShape", "size", "x")], [integers("size", [2 ** 40])]],
      [[node("Tile", "dense times", "x")], [integers("times", [1, 100_000])]],
      [[node("Pad", "dense pads", "x")], [integers("pads", [0, 0, 0, 100_000])]],
      [
        [node("Range", "zero many one", "x")],
        [integers("zero", 0), integers("many", 1e9), integers("one", 1)],
      ],
      [[node("OneHot", "category depth w", "x")], [integers("depth", 1e6), floats("w", [2], [0, 1])]],
      [
        [node("MatMul", "column row", "x")],
        [
          floats("column", [4000, 1], new Array(4000).fill(1)),
          floats("row", [1, 4000], new Array(4000).fill(1)),
        ],
      ],
      [[node("Unsqueeze", "dense axes", "y"), node("Sub", "dense y", "x")], [integers("axes", [1])]],
    ];
    for (const [nodes, weights] of cases)
      expect(refusalOfGraph(nodes, weights)).toMatch(
        /bytes for n = 500 candidates; at most 8,388,608 are allowed/,
      );
  });

  it("S8: refuses tensors that grow with the list, more than with its length", () => {
    const square = [node("Gemm", "dense dense", "square", { transB: 1 })];
    expect(refusalOfGraph(square)).toBe("");
    expect(
      refusalOfGraph(
        [...square, node("Unsqueeze", "square axes", "cube"), node("Add", "cube dense", "x")],
        [integers("axes", [2])],
      ),
    ).toMatch(/of size \[n, n, \d+\]/);
  });

  it("S8: refuses many tensors and operators that are small alone", () => {
    const chain = (length: number) =>
      Array.from({ length }, (_, i) => node("Relu", i === 0 ? "dense" : `v${i - 1}`, `v${i}`));
    expect(refusalOfGraph(chain(100))).toBe("");
    expect(refusalOfGraph(chain(900))).toMatch(/compute [\d,]+ bytes for 500 candidates; at most 25,165,824/);
    expect(refusalOfGraph(chain(1001))).toMatch(/has 1,003 operators; at most 1,000/);
    const [nodes, weights] = largeMatrix(300);
    for (let i = 0; i < 9; i++) nodes.push(node("MatMul", `m${i} m0`, `m${i + 1}`));
    expect(refusalOfGraph(nodes, weights)).toMatch(/^Operator 5, MatMul "m4": .*multiply-adds/);
  });

  it("S8: refuses shapes that come from data", () => {
    const fromData = [
      node("ReduceMax", "category", "max", { keepdims: 1 }),
      node("Cast", "max", "long", { to: 7 }),
    ];
    const one = floats("one", [1], [1]);
    for (const last of [
      node("Expand", "one long", "x"),
      node("ConstantOfShape", "long", "x"),
      node("Reshape", "dense long", "x"),
      node("Tile", "one long", "x"),
      node("TopK", "dense long", "x y"),
    ])
      expect(refusalOfGraph([...fromData, last], [one]), last.opType).toMatch(/is computed from data/);
    // A size that is known, but not the same expression for every list.
    expect(
      refusalOfGraph(
        [
          node("Shape", "dense", "sizes", { end: 1 }),
          node("Sub", "sizes limit", "below"),
          node("Mul", "below below", "square"),
          node("ConstantOfShape", "square", "x"),
        ],
        [integers("limit", [250])],
      ),
    ).toMatch(/would have the size/);
    expect(
      refusalOfGraph(
        [
          node("Shape", "dense", "sizes", { end: 1 }),
          node("Equal", "sizes limit", "is 250".replace(" ", "_")),
          node("Where", "is_250 many sizes", "size"),
          node("ConstantOfShape", "size", "x"),
        ],
        [integers("limit", [250]), integers("many", [1e9])],
      ),
    ).toMatch(/is computed from data/);
  });

  it("S8: refuses operators that are not on the list, each by its name", () => {
    for (const opType of [
      "Loop",
      "If",
      "Scan",
      "Resize",
      "Upsample",
      "NonZero",
      "Unique",
      "Einsum",
      "Conv",
      "LSTM",
      "RandomNormal",
      "StringNormalizer",
      "Optional",
      "Foo",
    ])
      expect(refusalOfGraph([node(opType, "dense", "x")])).toMatch(
        new RegExp(
          `^Operator 1, ${opType} "x": this operator is not supported. Supported are Abs, Add, .*Xor.$`,
        ),
      );
  });

  it("S8: refuses cycles, wrong order, names that are used twice, and inputs that are missing", () => {
    expect(refusalOfGraph([node("Add", "dense y", "x"), node("Relu", "x", "y")])).toContain('it reads "y"');
    expect(refusalOfGraph([node("Relu", "x", "x")])).toContain("without cycles");
    expect(refusalOfGraph([node("Relu", "dense", "x"), node("Abs", "dense", "x")])).toContain(
      'two values with the name "x"',
    );
    expect(refusalOfGraph([node("Relu", "dense", "dense")])).toContain('two values with the name "dense"');
    expect(refusalOfGraph([], [floats("w", [1], [1]), floats("w", [1], [2])])).toContain(
      'two values with the name "w"',
    );
    expect(refusalOfGraph([node("Add", "dense -", "x")])).toContain("lacks its input 2");
    expect(refusalOfGraph([node("Relu", "dense", "x y")])).toContain("has 2 outputs; at most 1");
  });

  it("S8: refuses weights whose dimensions and data do not agree", () => {
    const tensor = (init: Parameters<typeof create<typeof TensorProtoSchema>>[1]) =>
      refusalOfGraph(
        [],
        [create(TensorProtoSchema, { name: "w", dataType: TensorProto_DataType.FLOAT, ...init })],
      );
    expect(tensor({ dims: [4n] })).toContain("must hold exactly as many");
    expect(tensor({ dims: [1_000_000n, 1_000_000n], rawData: new Uint8Array(0) })).toContain(
      "must hold exactly as many",
    );
    expect(tensor({ dims: [2n ** 40n] })).toContain("a dimension of 1099511627776");
    expect(tensor({ dims: [-1n], rawData: new Uint8Array(4) })).toContain("a dimension of -1");
    expect(tensor({ dims: new Array(9).fill(1n), floatData: [1] })).toContain("9 dimensions; at most 8");
    expect(tensor({ dims: [1n], rawData: new Uint8Array(4), floatData: [1] })).toContain("must hold exactly");
    expect(tensor({ dims: [1n], int32Data: [1] })).toContain("must hold exactly");
    expect(tensor({ dims: [2n], rawData: new Uint8Array(7) })).toContain("must hold exactly");
    expect(
      tensor({ dims: [1n], dataType: TensorProto_DataType.STRING, stringData: [new Uint8Array(1)] }),
    ).toContain("of type STRING");
    expect(tensor({ dims: [1n], dataType: 99 })).toContain("of type 99");
    expect(tensor({ dims: [0n] })).toBe("");
    expect(refusalOfGraph([node("Constant", "", "c", { value: floats("", [5], [1]) })])).toContain(
      "must hold exactly",
    );
    expect(refusalOfGraph([node("Relu", "dense", "x", { value: floats("", [5], [1]) })])).toBe("");
  });

  it("S8: refuses sparse weights, attributes of other types, repeated attributes, and training information", () => {
    const sparse = buildModel(featureShape, []);
    sparse.graph.sparseInitializer.push(create(SparseTensorProtoSchema, {}));
    expect(refusalOf(sparse)).toContain("sparse");
    const withAttribute = (type: AttributeProto_AttributeType, init: object = {}) =>
      refusalOfGraph([
        create(NodeProtoSchema, {
          opType: "Constant",
          output: ["x"],
          attribute: [create(AttributeProtoSchema, { name: "value", type, ...init })],
        }),
      ]);
    expect(withAttribute(AttributeProto_AttributeType.SPARSE_TENSOR)).toContain(
      "has a type that is not supported",
    );
    expect(withAttribute(AttributeProto_AttributeType.STRINGS)).toContain("has a type that is not supported");
    expect(withAttribute(AttributeProto_AttributeType.TENSOR)).toContain("has no tensor");
    expect(withAttribute(AttributeProto_AttributeType.INT, { i: 1n })).toContain("must be of type TENSOR");
    expect(withAttribute(AttributeProto_AttributeType.TENSOR, { refAttrName: "a" })).toContain(
      "not supported",
    );
    const twice = node("Softmax", "dense", "x", { axis: 1 });
    twice.attribute.push(twice.attribute[0]);
    expect(refusalOfGraph([twice])).toContain('has the attribute "axis" twice');
    expect(refusalOfGraph([node("Constant", "", "x", { value_int: 1, value_ints: [1e9] })])).toContain(
      "it has 2",
    );
    const training = buildModel(featureShape, []);
    training.trainingInfo.push(create(TrainingInfoProtoSchema, {}));
    expect(refusalOf(training)).toContain("training information");
  });

  it("S8: refuses heads that are not one number for each candidate", () => {
    const heads = (nodes: NodeProto[]) => refusalOfGraph([...nodes, node("Identity", "engage", "purchase")]);
    expect(heads([node("Relu", "dense", "engage")])).toMatch(/The output "engage" must be float32\[n\]/);
    expect(heads([node("ArgMax", "dense", "engage", { axis: 1, keepdims: 0 })])).toContain("int64[n]");
    expect(heads([node("ReduceMax", "event", "engage", { axes: [1], keepdims: 0 })])).toContain(
      "float32[16]",
    );
    const alone = node("ReduceMax", "dense", "engage", { axes: [1], keepdims: 0 });
    expect(refusalOfGraph([alone])).toContain('computes the output "purchase"');
  });
});

describe("inspectOnnx, before bytes become objects", () => {
  const raw = (write: (writer: BinaryWriter) => void): Uint8Array => {
    const writer = new BinaryWriter();
    write(writer);
    return writer.finish();
  };
  /** Returns a model whose graph is these bytes. */
  const withGraph = (graph: Uint8Array): Uint8Array =>
    raw((writer) => writer.tag(7, WireType.LengthDelimited).bytes(graph));

  it("S8: refuses millions of empty nodes, of list values and of dimensions", () => {
    const nodes = new Uint8Array(4_000_000);
    for (let i = 0; i < nodes.length; i += 2) nodes[i] = (1 << 3) | WireType.LengthDelimited;
    const started = cpuMs();
    expect(refusalOf(withGraph(nodes))).toContain("more than 100,000 fields");
    const lists = create(TensorProtoSchema, { name: "w", int64Data: new Array(200_000).fill(1n) });
    const graph = toBinary(GraphProtoSchema, create(GraphProtoSchema, { initializer: [lists] }));
    expect(refusalOf(withGraph(graph))).toContain(
      "more than 100,000 fields and list values; store weights as raw data",
    );
    expect(cpuMs() - started).toBeLessThan(2000);
  });

  it("S8: refuses messages that nest deeper than a model, and bytes of other formats", () => {
    let nested: Uint8Array = new Uint8Array();
    for (let i = 0; i < 5000; i++) {
      const graph = nested;
      const attribute = raw((writer) => writer.tag(6, WireType.LengthDelimited).bytes(graph));
      const each = raw((writer) => writer.tag(5, WireType.LengthDelimited).bytes(attribute));
      nested = raw((writer) => writer.tag(1, WireType.LengthDelimited).bytes(each));
    }
    expect(refusalOf(withGraph(nested))).toContain("subgraphs are not supported");
    expect(refusalOf(raw((writer) => writer.tag(100, WireType.Varint).uint32(1)))).toContain(
      "field 100 in ModelProto",
    );
    expect(refusalOf(raw((writer) => writer.tag(7, WireType.Varint).uint32(1)))).toContain(
      "another wire type",
    );
    expect(
      refusalOf(raw((writer) => writer.tag(7, WireType.StartGroup).tag(7, WireType.EndGroup))),
    ).toContain("another wire type");
    const graph = toBinary(GraphProtoSchema, buildModel(featureShape, []).graph);
    expect(
      refusalOf(
        raw((writer) =>
          writer.tag(7, WireType.LengthDelimited).bytes(graph).tag(7, WireType.LengthDelimited).bytes(graph),
        ),
      ),
    ).toContain("the field `graph` of ModelProto more than once");
  });

  it("S8: refuses files that are too large", () => {
    expect(inspectOnnx(new Uint8Array(modelLimits.bytes + 1), featureShape, 17)).toMatchObject({
      ok: false,
      error: { code: "too_large" },
    });
    const padded = create(ModelProtoSchema, { docString: "x".repeat(modelLimits.bytes) });
    expect(inspectOnnx(modelBytes(padded), featureShape, 17)).toMatchObject({ error: { code: "too_large" } });
  });
});
