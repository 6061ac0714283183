import { type Columns, decodeColumns } from "../../model/columns/columns.ts";
import { ColumnsBuilder } from "../../model/columns/columns-builder.ts";
import { noString } from "../../model/columns/layout.ts";
import { compileExpression } from "../../model/expressions/compile-expression.ts";
import type { ExpressionContext } from "../../model/expressions/context.ts";
import { listFields } from "../../model/expressions/standard-fields.ts";
import { distanceKm } from "../../shared/geo/distance.ts";
import { priceAfterDiscount } from "../../shared/money/discount.ts";
import { daySeconds } from "../../shared/time/seconds.ts";
import type { BenchContext } from "../context.ts";
import { summarizeTimes } from "../figure.ts";
import { measureMicroseconds, type RunLimits } from "../timing.ts";

const blockCount = 25;
const rowsPerBlock = 4000;
const rowCount = blockCount * rowsPerBlock;
/** How many times as long as a loop written by hand an expression may take. */
const maxRatio = 3;
const runs: RunLimits = { warmUp: 50, runs: 200, seconds: 10 };

const now = Date.UTC(2026, 0, 5, 12) / 1000;
const point = { lat: 52.5, lon: 13.4 };
const context: ExpressionContext = { currency: "EUR", point, now, offsetSeconds: 3600, user: null };
const categories = Array.from({ length: 60 }, (_, i) => `category ${i}`);

/** Returns a sequence of numbers in [0, 1): a linear congruential generator (Park and Miller, CACM 1988). */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** Returns a block of products with prices in three currencies and none. */
function buildBlock(seed: number): Columns {
  const random = sequence(seed);
  const builder = new ColumnsBuilder(rowsPerBlock);
  for (let i = 0; i < rowsPerBlock; i++)
    builder.addRow({
      productId: `product ${seed} ${i}`,
      title: `${random() < 0.1 ? "Green tea" : "Coffee beans"} of the sort ${i}`,
      category: categories[Math.floor(random() * categories.length)],
      lat: point.lat + random() * 0.2,
      lon: point.lon + random() * 0.2,
      version: 1,
      createdAt: now - random() * 90 * daySeconds,
      lastTime: 0,
      priceMinor: random() < 0.05 ? null : Math.floor(random() * 5000),
      currency: random() < 0.8 ? "EUR" : random() < 0.5 ? "JPY" : null,
      discount: random() < 0.7 ? 0 : Math.floor(random() * 80) / 100,
      rating: random() < 0.1 ? null : Math.floor(random() * 50) / 10,
      available: random() < 0.9,
      groupId: random() < 0.8 ? null : `group ${i % 500}`,
      cell: `cell ${i % 300}`,
      counts: [0, 0, 0, 0, 0, 0, 0],
      hot: [0, 0, 0],
      hours: [],
      weekdays: [],
      nextProducts: [],
    });
  const block = decodeColumns(builder.finish({ cell: "bench", version: 1, time: now, children: [] }));
  if (!block) throw new Error("a fresh block must decode");
  return block;
}

/** Counts the rows of a block that pass, in one loop. */
type HandWritten = (block: Columns) => number;

/** Returns whether a price lies within whole minor units, as a filter compares it. */
const isPriceWithin = (block: Columns, row: number, euro: number, max: number): boolean =>
  (block.currency[row] === euro || block.currency[row] === noString) &&
  priceAfterDiscount(block.priceMinor[row], block.discountMillionths[row]) <= max;

const cases: { source: string; loop: HandWritten }[] = [
  {
    source: "product.price <= 20.0",
    loop: (block) => {
      const euro = block.strings.indexOf("EUR");
      let count = 0;
      for (let row = 0; row < block.count; row++) if (isPriceWithin(block, row, euro, 2000)) count++;
      return count;
    },
  },
  {
    source: 'product.category == "category 5"',
    loop: (block) => {
      const wanted = block.strings.indexOf("category 5");
      let count = 0;
      for (let row = 0; row < block.count; row++) if (block.category[row] === wanted) count++;
      return count;
    },
  },
  {
    source: 'product.category in ["category 1", "category 2", "category 3"] && product.discount >= 0.2',
    loop: (block) => {
      const wanted = new Set(
        ["category 1", "category 2", "category 3"].map((name) => block.strings.indexOf(name)),
      );
      let count = 0;
      for (let row = 0; row < block.count; row++)
        if (wanted.has(block.category[row]) && block.discountMillionths[row] >= 200_000) count++;
      return count;
    },
  },
  {
    source: "product.price <= 20.0 && distanceKm < 3.0 && product.available && product.rating >= 4.0",
    loop: (block) => {
      const euro = block.strings.indexOf("EUR");
      let count = 0;
      for (let row = 0; row < block.count; row++)
        if (
          isPriceWithin(block, row, euro, 2000) &&
          distanceKm(point.lat, point.lon, block.lat[row], block.lon[row]) < 3 &&
          block.available[row] === 1 &&
          block.rating[row] >= 4
        )
          count++;
      return count;
    },
  },
  {
    source: 'product.rating >= 4.5 || now - product.createdAt < duration("7d")',
    loop: (block) => {
      let count = 0;
      for (let row = 0; row < block.count; row++)
        if (block.rating[row] >= 4.5 || now - block.createdAt[row] < 7 * daySeconds) count++;
      return count;
    },
  },
  {
    source: '!(product.category == "category 7") && (product.available ? product.rating : 0.0) * 2.0 > 6.0',
    loop: (block) => {
      const unwanted = block.strings.indexOf("category 7");
      let count = 0;
      for (let row = 0; row < block.count; row++)
        if (block.category[row] !== unwanted && (block.available[row] === 1 ? block.rating[row] : 0) * 2 > 6)
          count++;
      return count;
    },
  },
  {
    source: 'product.title.contains("tea") && product.available',
    loop: (block) => {
      let count = 0;
      for (let row = 0; row < block.count; row++)
        if (block.available[row] === 1 && block.title(row).includes("tea")) count++;
      return count;
    },
  },
];

/** Measures filters by expressions over 100,000 products against loops that are written by hand. */
export async function measureExpressions(bench: BenchContext): Promise<void> {
  const blocks = Array.from({ length: blockCount }, (_, i) => buildBlock(i + 1));
  const ratios: number[] = [];
  for (const { source, loop } of cases) {
    const compiled = compileExpression(source, listFields);
    if (!compiled.ok) throw new Error(`${source}: ${compiled.error.reason}`);
    const byExpression = (): number => {
      const { rowsThatPass } = compiled.expression.bind(context);
      let count = 0;
      for (const block of blocks) {
        const passing = rowsThatPass(block);
        for (let row = 0; row < passing.length; row++) count += passing[row];
      }
      return count;
    };
    const byHand = (): number => {
      let count = 0;
      for (const block of blocks) count += loop(block);
      return count;
    };
    if (byExpression() !== byHand())
      throw new Error(`${source}: ${byExpression()} pass, ${byHand()} by hand`);
    const expression = await measureMicroseconds(byExpression, runs);
    const hand = await measureMicroseconds(byHand, runs);
    ratios.push(expression.p50 / hand.p50);
    bench.figures.push({
      section: "expressions",
      name: `${rowCount.toLocaleString("en")} products: ${source}`,
      unit: "us",
      ...expression,
      baseline: { label: "a loop written by hand", value: hand.p50 },
      limit: { label: `${maxRatio} times the loop`, value: maxRatio * hand.p50 },
    });
  }
  bench.figures.push({
    section: "expressions",
    name: "an expression against a loop written by hand, for these expressions",
    unit: "times",
    ...summarizeTimes(ratios),
    baseline: null,
    limit: { label: "required", value: maxRatio },
  });
  const longest = Array.from({ length: 125 }, (_, i) => `hour > ${i}`).join(" || ");
  bench.figures.push({
    section: "expressions",
    name: "compile an expression of 499 operations",
    unit: "us",
    ...(await measureMicroseconds(() => compileExpression(longest, listFields), {
      warmUp: 20,
      runs: 200,
      seconds: 5,
    })),
    baseline: null,
    limit: null,
  });
}
