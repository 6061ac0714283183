import { describe, expect, it } from "vitest";
import type { Ops } from "../network/ops.ts";
import { Random } from "../train/random.ts";
import { Tape } from "./tape.ts";
import type { Tensor } from "./tensor.ts";

/** Operands by name: shape, and whether they have a gradient. */
type Operands = Record<string, { rows: number; columns: number; constant?: Float32Array }>;

/** Tensors of random numbers, none of them near the corners of relu and of clipping. */
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
 * Compares the gradient of a random projection of an operation's output with central differences, for every element
 * of every operand.
 */
function checkGradients(operands: Operands, apply: (ops: Ops<Tensor>) => Tensor): void {
  const random = new Random(11);
  const tensors = tensorsOf(operands, random);
  const tape = new Tape(tensors);
  const out = apply(tape);
  const projection = Float32Array.from(out.data, () => random.normal());
  if (!out.grad) throw new Error("the output has no gradient");
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
      expect(Math.abs(grad[i] - expected), `${name}[${i}]: ${grad[i]} against ${expected}`).toBeLessThan(
        2e-3 * Math.max(1, Math.abs(expected)),
      );
    }
  }
}

/** Parameters by name. */
const p =
  (...names: string[]) =>
  (ops: Ops<Tensor>): Tensor[] =>
    names.map((name) => ops.parameter(name));

describe("the gradient of each operation is that of finite differences", () => {
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
      "add of one row to each",
      { a: { rows: 4, columns: 3 }, b: { rows: 1, columns: 3 } },
      (ops) => {
        const [a, b] = p("a", "b")(ops);
        return ops.add(a, b);
      },
    ],
    [
      "multiply of each row by one",
      { a: { rows: 4, columns: 3 }, b: { rows: 1, columns: 3 } },
      (ops) => {
        const [a, b] = p("a", "b")(ops);
        return ops.multiply(a, b);
      },
    ],
    [
      "add of a tensor to itself",
      { a: { rows: 2, columns: 3 } },
      (ops) => ops.add(ops.parameter("a"), ops.parameter("a")),
    ],
    [
      "standardize, also where it clips",
      {
        x: { rows: 4, columns: 2 },
        mean: { rows: 1, columns: 2, constant: Float32Array.of(0.2, -0.1) },
        // The second column lies beyond the clipping everywhere.
        scale: { rows: 1, columns: 2, constant: Float32Array.of(1.5, 1000) },
      },
      (ops) => {
        const [x, mean, scale] = p("x", "mean", "scale")(ops);
        return ops.standardize(x, mean, scale);
      },
    ],
    [
      "gather, with a row that is taken twice and one that is not",
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
    ["fold", { x: { rows: 6, columns: 1 } }, (ops) => ops.relu(ops.fold(ops.parameter("x"), 3))],
    [
      "maskedSoftmax, partly masked",
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
  it.each(cases)("%s", (_name, operands, apply) => checkGradients(operands, apply));
});

describe("the tape", () => {
  it("gives weights that sum to one where the mask lets through, and zeros where it never does", () => {
    const tape = new Tape(new Map());
    const logits = tape.input(2, 3, Float32Array.of(1, 2, 1000, 5, 5, 5));
    const { data } = tape.maskedSoftmax(logits, tape.input(1, 3, Float32Array.of(1, 1, 0)));
    expect(data[0]).toBeCloseTo(1 / (1 + Math.E), 6);
    expect(data[0] + data[1]).toBeCloseTo(1, 6);
    expect([...data.subarray(2)]).toEqual([0, 0.5, 0.5, 0]);
    const none = tape.maskedSoftmax(logits, tape.input(1, 3, Float32Array.of(0, 0, 0)));
    expect([...none.data]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it("keeps the gradients of parameters over passes until the caller clears them", () => {
    const x: Tensor = { rows: 1, columns: 2, data: Float32Array.of(1, 2), grad: new Float32Array(2) };
    const tape = new Tape(new Map([["x", x]]));
    for (let pass = 1; pass <= 3; pass++) {
      tape.reset();
      tape.relu(tape.parameter("x")).grad?.fill(1);
      tape.backward();
      expect(x.grad).toEqual(Float32Array.of(pass, pass));
    }
  });

  it("names a parameter that it does not have", () => {
    expect(() => new Tape(new Map()).parameter("nobody")).toThrow("nobody");
  });
});
