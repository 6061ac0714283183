import { describe, expect, it } from "vitest";
import { PositionCells } from "../../examination/position-cells.ts";
import { drawRanks } from "../../experiments/rank-draw.ts";
import { Corrections, type LoggedExample } from "../../recalibrate/logged-examples.ts";
import { Random } from "../../train/random.ts";
import { estimateOffPolicy, type OffPolicyEstimate } from "./estimate.ts";
import { type ListInPlay, listInPlay } from "./list-in-play.ts";
import { ListSums } from "./list-sums.ts";
import { ScoreBins } from "./score-bins.ts";
import { targetListOf } from "./target-list.ts";

/** Returns a logged list of five products without exploration, and two sampled candidates. */
function exampleOf(random: Random, id: number, change: Partial<LoggedExample> = {}): LoggedExample {
  const rows = Array.from({ length: 7 }, (_, i) => {
    const score = 0.5 - i / 16 + random.next() / 20;
    const isShown = i < 5;
    return {
      ...{ product: i, category: null, position: isShown ? i + 1 : 0, propensity: isShown ? 1 : 0 },
      ...{ rank: isShown ? i + 1 : 0, score, listScore: score, squares: [] },
      outcome: isShown && random.next() < score / Math.sqrt(i + 1) ? ("click" as const) : null,
    };
  });
  return {
    ...{ id, time: 0, pseudonym: `user ${id % 90}`, country: null, modelVersion: "v", variant: "default" },
    ...{ weight: 1, candidates: 7, rows, features: new Uint8Array(), ...change },
  };
}

describe("listInPlay", () => {
  const example = exampleOf(new Random(1), 1);
  const of = (rows: LoggedExample["rows"]) => listInPlay({ ...example, rows }, new Corrections());

  it("returns the products in play by rank, and the sample", () => {
    const list = of([...example.rows].reverse());
    expect(typeof list !== "string" && list.inPlay.map(({ rank }) => rank)).toEqual([1, 2, 3, 4, 5]);
    expect(typeof list !== "string" && list.sampled).toHaveLength(2);
  });

  it("names what cannot be evaluated", () => {
    const { rows } = example;
    expect(of(rows.map(({ rank: _, ...row }) => row))).toBe("earlier version");
    const later = rows.map((row) =>
      row.rank ? { ...row, rank: row.rank + 10, position: row.position + 10 } : row,
    );
    expect(of(later)).toBe("later page");
    expect(listInPlay({ ...example, rankTemperature: 1 }, new Corrections())).toBe("drawn order");
    expect(of(rows.filter((_, i) => i !== 2))).toBe("incomplete");
    expect(of(rows.map((row, i) => (i === 4 ? { ...row, propensity: 0.8 } : row)))).toBe("incomplete");
    expect(of(rows.map((row, i) => (i === 4 ? { ...row, listScore: 2 } : row)))).toBe("not ordered by score");
  });

  it("takes lists whose exploration passes over products", () => {
    const explored = { ...example.rows[4], rank: 7, position: 0, propensity: 0.5, score: 0, listScore: 0 };
    const rows = example.rows.map((row, i) => (i === 4 ? { ...row, propensity: 0.5 } : row));
    const list = of([...rows, explored]);
    expect(typeof list !== "string" && list.inPlay.map(({ rank }) => rank)).toEqual([1, 2, 3, 4, 5, 7]);
    expect(of([...rows, { ...explored, rank: 5 }])).toBe("incomplete");
  });

  it("has the outcome of a correction", () => {
    const corrections = new Corrections();
    corrections.add({ id: 1, product: 0, outcome: "purchase" });
    const list = listInPlay(example, corrections);
    expect(typeof list !== "string" && list.inPlay[0].outcome).toBe("purchase");
  });
});

describe("estimateOffPolicy", () => {
  const listsOf = (count: number, from = 0): ListInPlay[] => {
    const random = new Random(5);
    return Array.from({ length: count }, (_, i) => {
      const list = listInPlay(exampleOf(random, from + i), new Corrections());
      if (typeof list === "string") throw new Error(`the list is ${list}`);
      return list;
    });
  };
  /** Returns sums of lists, which a model orders by the scores of the rows. */
  const sumsOf = (lists: ListInPlay[], scoreOf: (row: number) => number, sums = sumsFor(lists)): ListSums => {
    for (const list of lists) {
      const modelScores = list.inPlay.map((_, row) => scoreOf(row));
      sums.add(list, targetListOf(list, { rules: {}, modelScores }));
    }
    return sums;
  };
  const sumsFor = (lists: ListInPlay[]): ListSums => new ListSums(ScoreBins.of(lists));
  const estimated = (sums: ListSums): OffPolicyEstimate => {
    const found = estimateOffPolicy(sums);
    if ("refusals" in found) throw new Error(found.refusals.join());
    return found;
  };

  it("returns the outcomes of the log for the order of the log", () => {
    const lists = listsOf(1000);
    const clicks = lists.flatMap(({ inPlay }) => inPlay).filter(({ outcome }) => outcome === "click").length;
    const { values, effectiveLists, outside, ...rest } = estimated(sumsOf(lists, (row) => 1 - row / 10));
    for (const estimator of ["snips", "doublyRobust"] as const) {
      expect(values.clicks[estimator].current.estimate).toBeCloseTo(clicks / 1000, 9);
      expect(values.clicks[estimator].difference).toEqual({ estimate: 0, low: 0, high: 0 });
    }
    expect({ outside, lists: rest.lists }).toEqual({ outside: 0, lists: 1000 });
    // An on-policy log tells as much as itself.
    expect(effectiveLists / 1000).toBeGreaterThan(0.8);
    expect(effectiveLists / 1000).toBeLessThan(1.25);
  });

  it("takes the examination from lists whose order was drawn, if they contradict the scores", () => {
    const random = new Random(9);
    const drawn = (lists: number): PositionCells => {
      const cells = new PositionCells();
      for (let n = 0; n < lists; n++) {
        const { order } = drawRanks(10, 5, 1, () => random.next());
        // By the scores of the log, users look at position k with the probability k ** -0.5.
        const rows = order.slice(0, 5).map((rank, i) => ({
          ...{ position: i + 1, rank: rank + 1 },
          outcome: random.next() < 0.5 / (i + 1) ? ("click" as const) : null,
        }));
        cells.add({ rows, weight: 1, rankTemperature: 1 });
      }
      return cells;
    };
    const sums = sumsOf(listsOf(1000), (row) => row);
    const examinedBy = (lists: number): number => {
      const found = estimateOffPolicy(sums, drawn(lists));
      if ("refusals" in found) throw new Error(found.refusals.join());
      return found.examined[4];
    };
    expect(examinedBy(0)).toBeGreaterThan(0.3);
    expect(examinedBy(0)).toBeCloseTo(estimated(sums).examined[4], 9);
    expect(Math.abs(examinedBy(100_000) - 0.2)).toBeLessThan(0.04);
  });

  it("has no purchases where the log has few", () => {
    expect(estimated(sumsOf(listsOf(400), (row) => 1 - row / 10)).values.purchases).toBeNull();
  });

  it("goes on with sums that were stored", () => {
    const lists = listsOf(600);
    const whole = sumsOf(lists, (row) => row);
    const first = sumsOf(lists.slice(0, 300), (row) => row, sumsFor(lists));
    const parts = sumsOf(lists.slice(300), (row) => row, new ListSums(first.numbers.slice()));
    expect(estimateOffPolicy(parts)).toEqual(estimateOffPolicy(whole));
  });

  it("refuses few lists, few users, little overlap, and a policy that shows other products", () => {
    const refusalsOf = (sums: ListSums): string[] => {
      const found = estimateOffPolicy(sums);
      return "refusals" in found ? found.refusals : [];
    };
    expect(refusalsOf(sumsFor([]))).toEqual([
      expect.stringContaining("lists:"),
      expect.stringContaining("users:"),
    ]);
    const lists = listsOf(400);
    expect(refusalsOf(sumsOf(lists.slice(0, 150), (row) => row))).toEqual([
      expect.stringContaining("lists:"),
    ]);
    const other = sumsFor(lists);
    const rare = sumsFor(lists);
    for (const list of lists) {
      other.add(list, { products: list.inPlay, outside: 0.4 });
      // The products were shown with a propensity of 0.01.
      const products = list.inPlay.map((each) => ({ ...each, isShown: false, propensity: 0.01 }));
      rare.add(list, { products, outside: 0 });
    }
    expect(refusalsOf(other)).toEqual([expect.stringContaining("40% of what this policy shows")]);
    expect(refusalsOf(rare)).toEqual([expect.stringContaining("overlap: the log tells as much as")]);
  });

  it("refuses clicks that the scores do not explain", () => {
    const lists = listsOf(400).map((list) => ({
      ...list,
      inPlay: list.inPlay.map((each) => ({
        ...each,
        outcome: each.position === 3 ? null : each.outcome,
      })),
    }));
    const found = estimateOffPolicy(sumsOf(lists, (row) => 1 - row / 10));
    expect(found).toEqual({ refusals: [expect.stringContaining("users look at position 3")] });
  });
});
