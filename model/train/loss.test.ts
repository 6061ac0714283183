import { describe, expect, it } from "vitest";
import { examinationOf } from "../simulate/position-bias.ts";
import { type ListTargets, listLoss, listwiseScales } from "./loss.ts";
import { Random } from "./random.ts";

const head = (logits: number[]) => ({
  data: Float32Array.from(logits),
  grad: new Float32Array(logits.length),
});

/** Returns a list whose rows are logged with these outcomes. */
const targetsOf = (engage: number[], change: Partial<ListTargets> = {}): ListTargets => ({
  engage: Float32Array.from(engage),
  purchase: new Float32Array(engage.length),
  candidatesRepresented: new Float32Array(engage.length).fill(1),
  ...change,
});

describe("listLoss", () => {
  it("has the gradients of its differences, with and without examination", () => {
    const logits = [0.3, -1.2, 0.8, 2];
    const list: ListTargets = {
      ...targetsOf([1, 0, 1, 0]),
      purchase: Float32Array.of(0, 0, 1, 0),
      candidatesRepresented: Float32Array.of(1, 1, 1, 0.2),
      pointwiseWeights: Float32Array.of(1, 1, 2, 0),
    };
    for (const targets of [list, { ...list, examined: Float32Array.of(1, 0.6, 0.25, 1) }]) {
      const scales = { engage: 0.7, purchase: 1.3 };
      const lossAt = (values: number[], other = logits): number =>
        listLoss(head(values), head(other), targets, 2, scales);
      const engage = head(logits);
      const purchase = head(logits);
      listLoss(engage, purchase, targets, 2, scales);
      const step = 1e-3;
      for (let i = 0; i < logits.length; i++) {
        const moved = (by: number): number[] => logits.map((each, j) => each + (i === j ? by : 0));
        expect((lossAt(moved(step)) - lossAt(moved(-step))) / (2 * step)).toBeCloseTo(engage.grad[i], 3);
        const byPurchase = lossAt(logits, moved(step)) - lossAt(logits, moved(-step));
        expect(byPurchase / (2 * step)).toBeCloseTo(purchase.grad[i], 3);
      }
    }
  });

  /** Fits one logit for each of five products, which lists always show in the same order. */
  function fitted(examination: ((position: number) => number) | null): number[] {
    const random = new Random(4);
    const attractions = [0.2, 0.25, 0.3, 0.35, 0.4];
    const examined = examination ? Float32Array.from(attractions, (_, i) => examination(i + 1)) : undefined;
    const lists = Array.from({ length: 4000 }, () =>
      targetsOf(
        attractions.map((each, i) => (random.next() < each * examinationOf(i + 1, 1) ? 1 : 0)),
        examined ? { examined } : {},
      ),
    );
    const logits = [0, 0, 0, 0, 0];
    for (let round = 0; round < 60; round++) {
      const scales = listwiseScales(lists.map((each) => ({ ...each, weight: 1 })));
      const gradient = [0, 0, 0, 0, 0];
      for (const list of lists) {
        const engage = head(logits);
        listLoss(engage, head(logits), list, 1, scales);
        engage.grad.forEach((each, i) => {
          gradient[i] += each / lists.length;
        });
      }
      gradient.forEach((each, i) => {
        logits[i] -= 2 * each;
      });
    }
    return logits;
  }

  it("learns what attracts, not where it was shown, if the examination is known", () => {
    const inOrder = (logits: number[]): number[] =>
      logits.map((_, i) => i).sort((a, b) => logits[a] - logits[b]);
    // Without it, the positions are learned: the order is that of the lists, which is the reverse of the truth.
    expect(inOrder(fitted(null))).toEqual([4, 3, 2, 1, 0]);
    const logits = fitted((position) => examinationOf(position, 1));
    expect(inOrder(logits)).toEqual([0, 1, 2, 3, 4]);
    // The probability is that of a product that is looked at, whatever its position. The listwise part, which fits
    // logarithms of probabilities, moves the logits a little; a recalibration scales them afterwards.
    const probabilities = logits.map((each) => 1 / (1 + Math.exp(-each)));
    for (const [i, expected] of [0.2, 0.25, 0.3, 0.35, 0.4].entries())
      expect(Math.abs(probabilities[i] - expected)).toBeLessThan(0.08);
  });

  it("hardly lowers what was not shown, if that weighs little", () => {
    const gradientOf = (unshownWeight: number): number => {
      const engage = head([0, 0, 0]);
      const candidatesRepresented = Float32Array.of(1, 1, unshownWeight);
      const pointwiseWeights = Float32Array.of(1, 1, 0);
      listLoss(engage, head([0, 0, 0]), targetsOf([1, 0, 0], { candidatesRepresented, pointwiseWeights }), 1);
      return engage.grad[2];
    };
    expect(gradientOf(0)).toBe(0);
    expect(gradientOf(0.1)).toBeLessThan(0.06);
    expect(gradientOf(49)).toBeGreaterThan(0.9);
  });
});

describe("listwiseScales", () => {
  it("makes the outcomes of a step weigh as much as its lists with an outcome", () => {
    const deep = { ...targetsOf([0, 1], { examined: Float32Array.of(1, 0.2) }), weight: 1 };
    const top = { ...targetsOf([1, 0], { examined: Float32Array.of(1, 0.2) }), weight: 1 };
    const none = { ...targetsOf([0, 0], { examined: Float32Array.of(1, 0.2) }), weight: 4 };
    expect(listwiseScales([deep, top, none]).engage).toBeCloseTo(2 / 6, 6);
    expect(listwiseScales([deep, top, none]).purchase).toBe(1);
    // Of an outcome far down, the weight is bounded.
    const far = { ...targetsOf([0, 1], { examined: Float32Array.of(1, 0.001) }), weight: 1 };
    expect(listwiseScales([far]).engage).toBeCloseTo(0.1, 6);
  });
});
