import { describe, expect, it } from "vitest";
import { linearRanker } from "../pipeline/fallback-rankers.ts";
import type { Ranker } from "../pipeline/ports.ts";
import { runPipeline } from "../pipeline/run-pipeline.ts";
import { bundledRankerInNode, simulatedWorld } from "../pipeline/testing/simulated-world.node.ts";
import { contributionsOf, ordersFor, rowsFor } from "./contributions.ts";
import { featureGroups } from "./feature-groups.ts";

const { candidateService, queryFor } = simulatedWorld();
const bundled = await bundledRankerInNode();

/** Returns the contributions for the first products of a user's list, and the products' scores. */
async function explain(user: number, ranker: Ranker, limit: number) {
  const query = queryFor(user, { rules: { limit } });
  const answer = await runPipeline(query, { candidateService, rankers: [ranker], clock: () => 0 });
  const indices = answer.items.map(({ index }) => index);
  let rows = 0;
  let runs = 0;
  const counting: Pick<Ranker, "score"> = {
    score: (batch) => {
      rows += batch.count;
      runs++;
      return ranker.score(batch);
    },
  };
  const contributions = await contributionsOf(answer.features, answer.scores, indices, counting);
  return { ...contributions, scores: indices.map((index) => answer.scores[index]), rows, runs };
}

describe("contributionsOf", () => {
  it("add up to the difference from the average candidate, for each product", async () => {
    for (const ranker of [bundled, linearRanker])
      for (let user = 0; user < 10; user++) {
        const { averageScore, values, scores } = await explain(user, ranker, 10);
        values.forEach((each, i) => {
          const sum = each.reduce((total, value) => total + value, 0);
          expect(sum).toBeCloseTo(scores[i] - averageScore, 9);
        });
      }
  });

  it("are the same each time", async () => {
    expect(await explain(3, bundled, 10)).toEqual(await explain(3, bundled, 10));
  });

  it("are zero for groups that the ranker does not read", async () => {
    const { values } = await explain(2, linearRanker, 10);
    for (const name of ["recent", "situation"]) {
      const index = featureGroups.findIndex((group) => group.name === name);
      for (const each of values) expect(each[index]).toBe(0);
    }
  });

  it("need two runs of the model for up to 31 products, and four for 100", async () => {
    for (const limit of [1, 10, 31, 100]) {
      const { rows, runs, values } = await explain(1, bundled, limit);
      expect(rows).toBe(rowsFor(values.length));
      expect(runs).toBeLessThanOrEqual(limit <= 31 ? 2 : 4);
    }
    expect([1, 10, 31, 100].map(ordersFor)).toEqual([12, 12, 4, 2]);
  });
});
