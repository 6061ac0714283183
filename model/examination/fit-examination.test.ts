import { describe, expect, it } from "vitest";
import { drawRanks } from "../experiments/rank-draw.ts";
import { examinationOf } from "../simulate/position-bias.ts";
import { Random } from "../train/random.ts";
import { fitExamination } from "./fit-examination.ts";
import { PositionCells } from "./position-cells.ts";

/**
 * Returns counts of lists of ten. A list draws its order in a share of the cases. The attraction falls with the rank, so in
 * lists by rank the clicks fall with the position even if users look at all positions.
 */
function cellsOf(lists: number, bias: number, share: number, seed = 1): PositionCells {
  const random = new Random(seed);
  const cells = new PositionCells();
  for (let n = 0; n < lists; n++) {
    const isDrawn = random.next() < share;
    const level = Math.exp(0.5 * random.normal());
    const order = isDrawn
      ? drawRanks(20, 10, 1, () => random.next()).order.slice(0, 10)
      : Array.from({ length: 10 }, (_, i) => i);
    const rows = order.map((rank, i) => {
      const attraction = Math.min(1, 0.3 * level * (rank + 1) ** -0.5);
      const isClicked = random.next() < examinationOf(i + 1, bias) * attraction;
      return { position: i + 1, rank: rank + 1, outcome: isClicked ? ("click" as const) : null };
    });
    cells.add({ rows, weight: 1, ...(isDrawn ? { rankTemperature: 1 } : {}) });
  }
  return cells;
}

describe("fitExamination", () => {
  it.each([0, 0.5, 1, 1.5])("finds the examination k ** -%s from lists whose order was drawn", (bias) => {
    const { examined, errors } = fitExamination(cellsOf(40_000, bias, 0.1));
    for (const position of [2, 3, 5, 8, 10]) {
      const error = Math.log(examined[position - 1] / examinationOf(position, bias));
      expect(Math.abs(error)).toBeLessThan(4 * errors[position - 1]);
      expect(errors[position - 1]).toBeLessThan(0.15);
    }
  });

  it("takes nothing from lists in the order of their ranking, in which rank and position are the same", () => {
    const none = fitExamination(new PositionCells());
    const ordered = fitExamination(cellsOf(5000, 1.5, 0));
    for (const [range, examined] of none.examined.entries())
      expect(ordered.examined[range]).toBeCloseTo(examined, 9);
    // The prior of a shop without drawn lists is the discount of NDCG.
    expect(none.examined[2]).toBeCloseTo(0.5, 9);
  });

  it("gives a small shop a curve near the prior, which falls", () => {
    const { examined } = fitExamination(cellsOf(500, 1, 0.02));
    for (let range = 1; range < 10; range++) expect(examined[range]).toBeLessThan(1.1 * examined[range - 1]);
    expect(examined[9]).toBeGreaterThan(0.05);
    expect(examined[9]).toBeLessThan(0.6);
  });

  it("is the same whatever a level of clicks the lists of another length have", () => {
    // A shop with short lists that are clicked much, and long ones that are clicked little.
    const cells = cellsOf(20_000, 1, 0.1);
    const random = new Random(3);
    for (let n = 0; n < 20_000; n++)
      cells.add({
        rows: drawRanks(5, 5, 1, () => random.next()).order.map((rank, i) => ({
          ...{ position: i + 1, rank: rank + 1 },
          outcome: random.next() < 0.9 * examinationOf(i + 1, 1) ? ("click" as const) : null,
        })),
        ...{ weight: 1, rankTemperature: 1 },
      });
    expect(fitExamination(cells).examined[9]).toBeCloseTo(0.1, 1);
  });
});

describe("PositionCells", () => {
  it("leaves out later pages and examples without ranks, and goes on with stored numbers", () => {
    const cells = new PositionCells();
    cells.add({ rows: [{ position: 11, rank: 11, outcome: "click" }], weight: 1 });
    cells.add({ rows: [{ position: 1, outcome: "click" }], weight: 1 });
    expect(cells.numbers.every((each) => each === 0)).toBe(true);
    cells.add({ rows: [{ position: 1, rank: 2, outcome: "click" }], weight: 4, rankTemperature: 1 });
    const again = new PositionCells(cells.numbers.slice());
    expect(again.drawnLists).toBe(1);
    expect(again.group(1).engaged[0]).toBe(4);
  });
});
