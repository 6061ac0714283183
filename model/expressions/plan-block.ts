import { isInCategories } from "../../shared/contracts/category-path.ts";
import type { Columns } from "../columns/columns.ts";
import { decimalLimitsOf } from "../columns/decimal-limits.ts";
import { noString } from "../columns/layout.ts";
import type { ExpressionContext } from "./context.ts";
import { onlyIndexOf, testOfIndices } from "./dictionary-test.ts";
import {
  type ContextField,
  chunkRows,
  type ListColumn,
  type NumberReader,
  type TextColumn,
} from "./field.ts";
import {
  calculate,
  calculateRows,
  compareDecimals,
  comparePairs,
  compareWithLimit,
  copyMask,
  keepElement,
  keepFlag,
} from "./kernels.ts";
import {
  and,
  borrowMask,
  choose,
  constantNarrow,
  keepAll,
  keepNone,
  type Narrow,
  not,
  or,
  returnMask,
} from "./narrow.ts";
import { compileStringTest, compileTextTest, type TextTest } from "./text-search.ts";
import type { BooleanTree, ComparisonOperator, FixedString, NumberTree, StringTree } from "./tree.ts";

/** Arrays for intermediate numbers. An evaluation has no waits, so all share them. */
const numbers: Float64Array[] = [];
const borrowNumbers = (): Float64Array => numbers.pop() ?? new Float64Array(chunkRows);

/** Returns the value of a field that is the same for all products; null if it is absent. */
const contextNumber = (field: ContextField, context: ExpressionContext): number => {
  const value = field.value(context);
  return typeof value === "number" ? value : Number.NaN;
};

/** Returns a string that is the same for all products; null if it is absent. */
export function fixedString(tree: FixedString, context: ExpressionContext): string | null {
  if (tree.kind === "constant") return tree.value;
  const value = tree.field.value(context);
  return typeof value === "string" ? value : null;
}

/** Returns the value of a number tree that is the same for all products; null for one that reads a product. */
export function fixedNumber(tree: NumberTree, context: ExpressionContext): number | null {
  switch (tree.kind) {
    case "constant":
      return tree.value;
    case "context":
      return contextNumber(tree.field, context);
    case "negate": {
      const operand = fixedNumber(tree.operand, context);
      return operand === null ? null : -operand;
    }
    case "arithmetic": {
      const left = fixedNumber(tree.left, context);
      const right = left === null ? null : fixedNumber(tree.right, context);
      return left === null || right === null ? null : calculate(tree.operator, left, right);
    }
    default:
      return null;
  }
}

/** The same comparison with its sides exchanged. */
const exchanged: Readonly<Record<ComparisonOperator, ComparisonOperator>> = {
  "<": ">",
  "<=": ">=",
  ">": "<",
  ">=": "<=",
  "==": "==",
  "!=": "!=",
};

/** Plans the evaluation of an expression over the rows of one block. */
class BlockPlanner {
  readonly #columns: Columns;
  readonly #context: ExpressionContext;

  constructor(columns: Columns, context: ExpressionContext) {
    this.#columns = columns;
    this.#context = context;
  }

  /** Returns the loop that keeps the rows for which a tree is true. */
  narrow(tree: BooleanTree): Narrow {
    switch (tree.kind) {
      case "constant":
        return constantNarrow(tree.value);
      case "context":
        return constantNarrow(tree.field.value(this.#context) === true);
      case "field":
        return this.#flagIs(tree.field.flags(this.#columns, this.#context), 1);
      case "not":
        return not(this.narrow(tree.operand));
      case "and":
        return and(this.narrow(tree.left), this.narrow(tree.right));
      case "or":
        return or(this.narrow(tree.left), this.narrow(tree.right));
      case "choose":
        return choose(this.narrow(tree.condition), this.narrow(tree.ifTrue), this.narrow(tree.ifFalse));
      case "compareNumbers":
        return this.#compareNumbers(tree.operator, tree.left, tree.right);
      case "compareStrings":
        return this.#compareStrings(tree.isEqual, tree.left, tree.right);
      case "compareBooleans":
        return this.#compareBooleans(tree.isEqual, tree.left, tree.right);
      case "numberInList":
        return this.#numberInList(tree.operand, tree.values);
      case "stringInList":
        return this.#testStrings(tree.operand, (text) => tree.values.has(text));
      case "inField":
        return this.#inField(tree.field.lists(this.#columns), tree.field.isPath, tree.item);
      case "testString":
        return this.#testPart(tree.test, tree.operand, tree.part);
      case "hasNumber":
        return this.#compareNumbers("==", tree.operand, tree.operand);
      case "hasString":
        return this.#testStrings(tree.operand, () => true);
      case "hasBoolean":
        return this.#hasBoolean(tree.operand);
      case "hasList":
        return hasItems(tree.field.lists(this.#columns));
    }
  }

  #flagIs(flags: Uint8Array | null, wanted: number): Narrow {
    if (flags === null) return keepNone;
    return (start, count, mask) => keepFlag(flags, wanted, start, count, mask);
  }

  #hasBoolean(tree: BooleanTree): Narrow {
    if (tree.kind === "context") return constantNarrow(tree.field.value(this.#context) !== null);
    if (tree.kind !== "field") return keepAll;
    const flags = tree.field.flags(this.#columns, this.#context);
    return or(this.#flagIs(flags, 0), this.#flagIs(flags, 1));
  }

  #compareBooleans(isEqual: boolean, left: BooleanTree, right: BooleanTree): Narrow {
    const [narrowLeft, narrowRight] = [this.narrow(left), this.narrow(right)];
    const bothPresent = and(this.#hasBoolean(left), this.#hasBoolean(right));
    const same = choose(narrowLeft, narrowRight, not(narrowRight));
    return and(bothPresent, isEqual ? same : not(same));
  }

  /** Returns the reader of a tree's numbers. */
  #reader(tree: NumberTree): NumberReader {
    const fixed = fixedNumber(tree, this.#context);
    if (fixed !== null) return constantReader(fixed);
    switch (tree.kind) {
      case "field":
        return tree.field.numbers(this.#columns, this.#context) ?? constantReader(Number.NaN);
      case "negate": {
        const operand = this.#reader(tree.operand);
        return (start, count, mask, out) => {
          const values = operand(start, count, mask, out);
          for (let i = 0; i < count; i++) out[i] = -values[i];
          return out;
        };
      }
      case "arithmetic": {
        const [left, right] = [this.#reader(tree.left), this.#reader(tree.right)];
        const calculateAll = calculateRows[tree.operator];
        return (start, count, mask, out) => {
          const borrowed = borrowNumbers();
          calculateAll(left(start, count, mask, out), right(start, count, mask, borrowed), count, out);
          numbers.push(borrowed);
          return out;
        };
      }
      case "choose": {
        const condition = this.narrow(tree.condition);
        const [ifTrue, ifFalse] = [this.#reader(tree.ifTrue), this.#reader(tree.ifFalse)];
        return (start, count, mask, out) => {
          const [chosen, borrowed] = [borrowMask(), borrowNumbers()];
          copyMask(mask, count, chosen);
          condition(start, count, chosen);
          const first = ifTrue(start, count, mask, borrowed);
          const second = ifFalse(start, count, mask, out);
          for (let i = 0; i < count; i++) out[i] = chosen[i] === 1 ? first[i] : second[i];
          returnMask(chosen);
          numbers.push(borrowed);
          return out;
        };
      }
      default:
        throw new Error(`${tree.kind} is the same for all products`);
    }
  }

  #compareNumbers(operator: ComparisonOperator, left: NumberTree, right: NumberTree): Narrow {
    const limit = fixedNumber(right, this.#context);
    if (limit !== null) return this.#compareWithLimit(left, operator, limit);
    const leftLimit = fixedNumber(left, this.#context);
    if (leftLimit !== null) return this.#compareWithLimit(right, exchanged[operator], leftLimit);
    const [readLeft, readRight] = [this.#reader(left), this.#reader(right)];
    const compare = comparePairs[operator];
    return (start, count, mask) => {
      const [first, second] = [borrowNumbers(), borrowNumbers()];
      compare(readLeft(start, count, mask, first), readRight(start, count, mask, second), count, mask);
      numbers.push(first, second);
    };
  }

  #compareWithLimit(tree: NumberTree, operator: ComparisonOperator, limit: number): Narrow {
    const decimals = tree.kind === "field" ? tree.field.decimals?.(this.#columns) : undefined;
    if (decimals === undefined || Number.isNaN(limit))
      return compareReader(this.#reader(tree), operator, limit);
    const compare = compareDecimals[operator];
    const limits = decimalLimitsOf(limit);
    return (start, count, mask) => compare(decimals, limits, start, count, mask);
  }

  #numberInList(operand: NumberTree, values: readonly number[]): Narrow {
    const wanted = new Set(values);
    // Unlike `===`, a set distinguishes nothing but NaN here: constants are never NaN, and NaN stands for absent.
    const read = this.#reader(operand);
    return (start, count, mask) => {
      const borrowed = borrowNumbers();
      const found = read(start, count, mask, borrowed);
      for (let i = 0; i < count; i++) if (mask[i] === 1 && !wanted.has(found[i])) mask[i] = 0;
      numbers.push(borrowed);
    };
  }

  #compareStrings(isEqual: boolean, left: StringTree, right: StringTree): Narrow {
    if (right.kind !== "field") return this.#compareWith(isEqual, left, fixedString(right, this.#context));
    if (left.kind !== "field") return this.#compareWith(isEqual, right, fixedString(left, this.#context));
    const [readLeft, readRight] = [this.#stringReader(left), this.#stringReader(right)];
    return (start, count, mask) => {
      for (let i = 0; i < count; i++) {
        if (mask[i] === 0) continue;
        const first = readLeft(start + i);
        const second = first === null ? null : readRight(start + i);
        if (second === null || (first === second) !== isEqual) mask[i] = 0;
      }
    };
  }

  /** Returns a function from a row to its string; null for a row without one. */
  #stringReader({ field }: Extract<StringTree, { kind: "field" }>): (row: number) => string | null {
    if (field.kind === "texts") {
      const { bytes, starts } = field.texts(this.#columns);
      const decoder = new TextDecoder();
      return (row) => decoder.decode(bytes.subarray(starts[row], starts[row + 1]));
    }
    const indices = field.indices(this.#columns);
    const { strings } = this.#columns;
    return (row) => {
      const index = indices?.[row] ?? noString;
      return index === noString ? null : strings[index];
    };
  }

  #compareWith(isEqual: boolean, tree: StringTree, text: string | null): Narrow {
    if (text === null) return keepNone;
    if (isEqual) return this.#testPartText("equals", tree, text);
    return and(
      this.#testStrings(tree, () => true),
      not(this.#testPartText("equals", tree, text)),
    );
  }

  #testPart(test: "startsWith" | "endsWith" | "contains", tree: StringTree, part: FixedString): Narrow {
    const text = fixedString(part, this.#context);
    return text === null ? keepNone : this.#testPartText(test, tree, text);
  }

  #testPartText(
    test: "equals" | "startsWith" | "endsWith" | "contains",
    tree: StringTree,
    text: string,
  ): Narrow {
    if (tree.kind === "field" && tree.field.kind === "texts")
      return testTexts(tree.field.texts(this.#columns), compileTextTest(test, text));
    if (test === "equals" && tree.kind === "field" && tree.field.kind === "strings") {
      const indices = tree.field.indices(this.#columns);
      const wanted = indices && onlyIndexOf(this.#columns.strings, text);
      if (indices === null || wanted === noString) return keepNone;
      if (wanted !== null) return (start, count, mask) => keepElement(indices, wanted, start, count, mask);
    }
    return this.#testStrings(tree, compileStringTest(test, text));
  }

  /** Returns the loop that keeps the rows whose string passes a test; a row without a string never passes. */
  #testStrings(tree: StringTree, test: (text: string) => boolean): Narrow {
    if (tree.kind !== "field") {
      const text = fixedString(tree, this.#context);
      return constantNarrow(text !== null && test(text));
    }
    const { field } = tree;
    if (field.kind === "texts") {
      const read = this.#stringReader(tree);
      return (start, count, mask) => {
        for (let i = 0; i < count; i++) if (mask[i] === 1 && !test(read(start + i) ?? "")) mask[i] = 0;
      };
    }
    const indices = field.indices(this.#columns);
    if (indices === null) return keepNone;
    const passes = testOfIndices(this.#columns.strings, test);
    return (start, count, mask) => {
      for (let i = 0; i < count; i++) if (mask[i] === 1 && !passes(indices[start + i])) mask[i] = 0;
    };
  }

  #inField(lists: ListColumn | null, isPath: boolean, item: FixedString): Narrow {
    const text = fixedString(item, this.#context);
    if (lists === null || text === null) return keepNone;
    const wanted = new Set([text]);
    const passes = testOfIndices(
      this.#columns.strings,
      isPath ? (each) => isInCategories(each, wanted) : (each) => each === text,
    );
    const { starts, items } = lists;
    return (start, count, mask) => {
      for (let i = 0; i < count; i++) {
        if (mask[i] === 0) continue;
        const end = starts[start + i + 1];
        let at = starts[start + i];
        while (at < end && !passes(items[at])) at++;
        if (at === end) mask[i] = 0;
      }
    };
  }
}

const constantReader =
  (value: number): NumberReader =>
  (_start, count, _mask, out) =>
    out.fill(value, 0, count);

function compareReader(read: NumberReader, operator: ComparisonOperator, limit: number): Narrow {
  const compare = compareWithLimit[operator];
  return (start, count, mask) => {
    const borrowed = borrowNumbers();
    compare(read(start, count, mask, borrowed), limit, count, mask);
    numbers.push(borrowed);
  };
}

function testTexts({ bytes, starts }: TextColumn, test: TextTest): Narrow {
  return (start, count, mask) => {
    for (let i = 0; i < count; i++)
      if (mask[i] === 1 && !test(bytes, starts[start + i], starts[start + i + 1])) mask[i] = 0;
  };
}

function hasItems(lists: ListColumn | null): Narrow {
  if (lists === null) return keepNone;
  const { starts } = lists;
  return (start, count, mask) => {
    for (let i = 0; i < count; i++) mask[i] &= starts[start + i + 1] > starts[start + i] ? 1 : 0;
  };
}

/** Returns the loop that keeps the rows of a block for which a tree is true. */
export const planBlock = (tree: BooleanTree, columns: Columns, context: ExpressionContext): Narrow =>
  new BlockPlanner(columns, context).narrow(tree);
