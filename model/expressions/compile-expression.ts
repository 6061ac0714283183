import type { Columns } from "../columns/columns.ts";
import { boundsOf, type ExpressionBounds } from "./bounds.ts";
import { checkExpression } from "./check-expression.ts";
import type { ExpressionContext } from "./context.ts";
import { type ExpressionError, expressionErrorOf, InvalidExpression } from "./expression-error.ts";
import { chunkRows, type FieldTable } from "./field.ts";
import { parseExpression } from "./parse-expression.ts";
import { planBlock } from "./plan-block.ts";

/** An expression in its context: a test of products. */
export interface BoundExpression {
  /** Returns whether the product in a row passes. It evaluates a block at its first row, and remembers the result. */
  test(columns: Columns, row: number): boolean;
  /** Returns 1 for each row of a block that passes, 0 for the others. The caller must not change the result. */
  rowsThatPass(columns: Columns): Uint8Array;
  /** What holds for every product that passes; it is computed when it is read. */
  readonly bounds: ExpressionBounds;
}

/** A checked expression. */
export interface CompiledExpression {
  source: string;
  /** Names of the fields that the expression reads. */
  fields: ReadonlySet<string>;
  /** Whether the expression compares amounts of money, so that its context needs a decided currency. */
  readsMoney: boolean;
  /** Returns the expression as a test of products, for one request. */
  bind(context: ExpressionContext): BoundExpression;
}

/** A compiled expression, or why the source is refused. */
export type Compilation =
  | { ok: true; expression: CompiledExpression }
  | { ok: false; error: ExpressionError };

/**
 * Compiles a condition on products in the Common Expression Language, which may read `fields`. A comparison with an
 * absent value is false, and so is an absent flag. The result evaluates whole columns: the cost for a row grows with the
 * number of the expression's operations, which is bounded.
 */
export function compileExpression(source: string, fields: FieldTable): Compilation {
  try {
    const { tree, read } = checkExpression(parseExpression(source), fields);
    const expression: CompiledExpression = {
      source,
      fields: new Set(read.keys()),
      readsMoney: [...read.values()].some(({ isMoney }) => isMoney),
      bind(context) {
        const rowsThatPass = rememberByBlock((columns) => {
          const narrow = planBlock(tree, columns, context);
          const passing = new Uint8Array(columns.count).fill(1);
          for (let start = 0; start < columns.count; start += chunkRows) {
            const count = Math.min(chunkRows, columns.count - start);
            narrow(start, count, passing.subarray(start, start + count));
          }
          return passing;
        });
        return {
          test: (columns, row) => rowsThatPass(columns)[row] === 1,
          rowsThatPass,
          get bounds() {
            return boundsOf(tree, context);
          },
        };
      },
    };
    return { ok: true, expression };
  } catch (error) {
    if (error instanceof InvalidExpression) return { ok: false, error: expressionErrorOf(source, error) };
    throw error;
  }
}

/** Returns a function of blocks that computes its result once for each block. */
function rememberByBlock(compute: (columns: Columns) => Uint8Array): (columns: Columns) => Uint8Array {
  const results = new WeakMap<Columns, Uint8Array>();
  let lastBlock: Columns | undefined;
  let last: Uint8Array = new Uint8Array(0);
  return (columns) => {
    if (columns === lastBlock) return last;
    last = results.get(columns) ?? compute(columns);
    results.set(columns, last);
    lastBlock = columns;
    return last;
  };
}
