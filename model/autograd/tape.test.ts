import { describe, expect, it } from "vitest";
import type { Ops } from "../network/ops.ts";
import { Random } from "../train/random.ts";
import { type MatrixMemory, PlainMemory, WasmMemory } from "./matrix-memory.ts";
import { Tape } from "./tape.ts";
import type { Tensor } from "./tensor.ts";
import { matrixKernel } from "./wasm/matrix-kernel.ts";
import { webAssembly } from "./wasm/web-assembly.ts";

const kernel = new webAssembly.Module(matrixKernel());
const memories: Record<string, () => MatrixMemory> = {
  JavaScript: () => new PlainMemory(),
  WebAssembly: () => new WasmMemory(kernel),
};

/** Operands by name: their shapes; an operand with constant values has no gradient. */
type Operands = Record<string, { rows: number; columns: number; constant?: Float32Array }>;

/** Returns tensors of random numbers that stay away from zero, where relu has no derivative. */
function tensorsOf(operands: Operands, random: Random): Map<string, Tensor> {
  return new Map(
    Object.entries(operands).map(([name, { rows, columns, constant }]) => {
      const data = Float32Array.from({ length: rows * columns }, () => {
        const value = random.normal();
        return Math.abs(value) < 0.1 ? 0.5 : value;
      });
      return [
        name,
        {
          rows,
          columns,
          data: constant ?? data,
          grad: constant ? null : new Float32Array(rows * columns),
        },
      ];
    }),
  );
}

/**
 * Expects the gradient of a random projection of an operation's output to match central differences, for every element
 * of every operand.
 */
function checkGradients(operands: Operands, apply: (ops: Ops<Tensor>) => Tensor, memory: MatrixMemory): void {
  const random = new Random(11);
  const tensors = tensorsOf(operands, random);
  const tape = new Tape(tensors, memory);
  const out = apply(tape);
  const projection = Float32Array.from(out.data, () => random.normal());
  if (!out.grad) throw new Error("The output has no gradient.");
  out.grad.set(projection);
  tape.backward();
  const loss = (): number => {
    tape.reset();
    return apply(tape).data.reduce((sum, value, i) => sum + value * projection[i], 0);
  };
  const h = 2 ** -7;
  for (const [name, { data, grad }] of tensors) {
    if (!grad) continue;
    for (let i = 0; i < data.length; i++) {
      const before = data[i];
      data[i] = before + h;
      const up = loss();
      data[i] = before - h;
      const down = loss();
      data[i] = before;
      const expected = (up - down) / (2 * h);
      expect(Math.abs(grad[i] - expected), `${name}[${i}]: ${grad[i]}, expected ${expected}`).toBeLessThan(
        2e-3 * Math.max(1, Math.abs(expected)),
      );
    }
  }
}

/** Returns a function that looks up parameters by name. */
const p =
  (...names: string[]) =>
  (ops: Ops<Tensor>): Tensor[] =>
    names.map((name) => ops.parameter(name));

describe("the gradient of each operation equals finite differences", () => {
  const cases: [string, Operands, (ops: Ops<Tensor>) => Tensor][] = [
    [
      "linear",
      { x: { rows: 5, columns: 3 }, w: { rows: 3, columns: 6 }, b: { rows: 1, columns: 6 } },
      (ops) => {
        const [x, w, b] = p("x", "w", "b")(ops);
        return ops.linear(x, w, b);
      },
    ],
    ["relu", { x: { rows: 4, columns: 3 } }, (ops) => ops.relu(ops.parameter("x"))],
    [
      "add",
      { a: { rows: 4, columns: 3 }, b: { rows: 4, columns: 3 } },
      (ops) => {
        const [a, b] = p("a", "b")(ops);
        return ops.add(a, b);
      },
    ],
    [
      "linear without a bias",
      { x: { rows: 5, columns: 3 }, w: { rows: 3, columns: 2 } },
      (ops) => {
        const [x, w] = p("x", "w")(ops);
        return ops.linear(x, w);
      },
    ],
    [
      "add, with one row broadcast to all rows",
      { a: { rows: 4, columns: 3 }, b: { rows: 1, columns: 3 } },
      (ops) => {
        const [a, b] = p("a", "b")(ops);
        return ops.add(a, b);
      },
    ],
    [
      "multiply, with one row broadcast to all rows",
      { a: { rows: 4, columns: 3 }, b: { rows: 1, columns: 3 } },
      (ops) => {
        const [a, b] = p("a", "b")(ops);
        return ops.multiply(a, b);
      },
    ],
    [
      "add, with a tensor and itself",
      { a: { rows: 2, columns: 3 } },
      (ops) => ops.add(ops.parameter("a"), ops.parameter("a")),
    ],
    [
      "standardize, with values that are clipped",
      {
        x: { rows: 4, columns: 2 },
        mean: { rows: 1, columns: 2, constant: Float32Array.of(0.2, -0.1) },
        // Every value of the second column exceeds the bound.
        scale: { rows: 1, columns: 2, constant: Float32Array.of(1.5, 1000) },
      },
      (ops) => {
        const [x, mean, scale] = p("x", "mean", "scale")(ops);
        return ops.standardize(x, mean, scale);
      },
    ],
    [
      "gather, with a row gathered twice and a row not gathered",
      {
        table: { rows: 4, columns: 3 },
        at: { rows: 5, columns: 1, constant: Float32Array.of(0, 3, 3, 1, 0) },
      },
      (ops) => {
        const [table, at] = p("table", "at")(ops);
        return ops.gather(table, at);
      },
    ],
    [
      "similarity",
      { a: { rows: 5, columns: 3 }, b: { rows: 4, columns: 3 } },
      (ops) => {
        const [a, b] = p("a", "b")(ops);
        return ops.similarity(a, b);
      },
    ],
    ["column", { x: { rows: 6, columns: 3 } }, (ops) => ops.column(ops.parameter("x"), 1, 2)],
    ["reshape", { x: { rows: 6, columns: 1 } }, (ops) => ops.relu(ops.reshape(ops.parameter("x"), 3))],
    [
      "maskedSoftmax, with a partial mask",
      {
        logits: { rows: 3, columns: 3 },
        mask: { rows: 1, columns: 3, constant: Float32Array.of(1, 0, 1) },
      },
      (ops) => {
        const [logits, mask] = p("logits", "mask")(ops);
        return ops.maskedSoftmax(logits, mask);
      },
    ],
    [
      "pool",
      { weights: { rows: 3, columns: 2 }, values: { rows: 6, columns: 4 } },
      (ops) => {
        const [weights, values] = p("weights", "values")(ops);
        return ops.pool(weights, values);
      },
    ],
    [
      "concat",
      { a: { rows: 3, columns: 2 }, b: { rows: 3, columns: 1 }, c: { rows: 3, columns: 4 } },
      (ops) => ops.concat(p("a", "b", "c")(ops)),
    ],
  ];
  for (const [language, memory] of Object.entries(memories))
    it.each(cases)(`%s, in ${language}`, (_name, operands, apply) =>
      checkGradients(operands, apply, memory()),
    );
});

describe("Tape", () => {
  it("maskedSoftmax returns weights that sum to one over the mask, and zeros for an empty mask", () => {
    const tape = new Tape(new Map());
    const logits = tape.input(2, 3, Float32Array.of(1, 2, 1000, 5, 5, 5));
    const { data } = tape.maskedSoftmax(logits, tape.input(1, 3, Float32Array.of(1, 1, 0)));
    expect(data[0]).toBeCloseTo(1 / (1 + Math.E), 6);
    expect(data[0] + data[1]).toBeCloseTo(1, 6);
    expect([...data.subarray(2)]).toEqual([0, 0.5, 0.5, 0]);
    const none = tape.maskedSoftmax(logits, tape.input(1, 3, Float32Array.of(0, 0, 0)));
    expect([...none.data]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it("accumulates the gradients of parameters over passes", () => {
    const x: Tensor = { rows: 1, columns: 2, data: Float32Array.of(1, 2), grad: new Float32Array(2) };
    const tape = new Tape(new Map([["x", x]]));
    for (let pass = 1; pass <= 3; pass++) {
      tape.reset();
      tape.relu(tape.parameter("x")).grad?.fill(1);
      tape.backward();
      expect(x.grad).toEqual(Float32Array.of(pass, pass));
    }
  });

  it.each(Object.entries(memories))("keeps its tensors when the memory in %s grows", (_language, memory) => {
    const x: Tensor = { rows: 1, columns: 2, data: Float32Array.of(1, -2), grad: new Float32Array(2) };
    const tape = new Tape(new Map([["x", x]]), memory());
    const positive = tape.relu(tape.parameter("x"));
    const rows = 3_000_000;
    const large = tape.add(tape.input(rows, 2, new Float32Array(2 * rows)), positive);
    expect([...large.data.subarray(0, 4)]).toEqual([1, 0, 1, 0]);
    expect([...positive.data]).toEqual([1, 0]);
    large.grad?.fill(1, 0, 4);
    tape.backward();
    expect(x.grad).toEqual(Float32Array.of(2, 0));
  });

  it("names a missing parameter in the error", () => {
    expect(() => new Tape(new Map()).parameter("absent")).toThrow("absent");
  });
});
