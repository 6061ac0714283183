import { describe, expect, it } from "vitest";
import { easeScorer } from "./ease.ts";
import { invertPositiveDefinite } from "./invert-positive-definite.ts";

/** Four users' items, of five; nobody chose item 4. */
const itemsOfUsers = [[0, 1], [0, 1, 2], [1, 2, 3], [3]];
const items = 5;
const lambda = 2;

/** Returns B of EASE^R by the formula of the paper, from the matrix of items. */
function weightsByItems(): number[][] {
  const gram = new Float64Array(items * items);
  for (const each of itemsOfUsers) for (const i of each) for (const j of each) gram[i * items + j]++;
  for (let i = 0; i < items; i++) gram[i * items + i] += lambda;
  const inverse = invertPositiveDefinite(gram, items);
  return Array.from({ length: items }, (_, i) =>
    Array.from({ length: items }, (_, j) => (i === j ? 0 : -inverse[i * items + j] / inverse[j * items + j])),
  );
}

describe("easeScorer", () => {
  const weights = weightsByItems();
  const score = easeScorer(itemsOfUsers, items, lambda);

  it("scores by users as the paper's formula does by items", () => {
    for (const chosen of [[0], [0, 1], [1, 2, 3], [0, 1, 2, 3, 4]])
      [...score(chosen)].forEach((found, j) => {
        expect(found).toBeCloseTo(
          chosen.reduce((sum, i) => sum + weights[i][j], 0),
          10,
        );
      });
  });

  it("gives a product that nobody chose, and a user without choices, nothing", () => {
    expect(score([0, 1, 2])[4]).toBeCloseTo(0, 12);
    expect(Math.max(...score([]).map(Math.abs))).toBe(0);
  });
});
