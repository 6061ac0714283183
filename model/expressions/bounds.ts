import type { PriceRange } from "../columns/columns.ts";
import type { ExpressionContext } from "./context.ts";
import { fixedNumber, fixedString } from "./plan-block.ts";
import type { BooleanTree, ComparisonOperator, NumberTree, StringTree } from "./tree.ts";

/**
 * What holds for every product that passes an expression, so that a search can leave out whole cells. A property is
 * absent if the expression says nothing of it.
 */
export interface ExpressionBounds {
  /** Price after discount, in units of the context's currency, inclusive. */
  price?: PriceRange;
  /** Smallest discount, as a share of the price. */
  minDiscount?: number;
  /** Greatest distance from the point, in km. */
  maxDistanceKm?: number;
  /** Categories, of which the product has one. */
  categories?: ReadonlySet<string>;
}

/** Values that pass a comparison with a limit lie in this range, inclusive; `!=` gives none. */
function rangeOf(operator: ComparisonOperator, limit: number): PriceRange | null {
  if (Number.isNaN(limit)) return { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };
  switch (operator) {
    case "<":
    case "<=":
      return { min: Number.NEGATIVE_INFINITY, max: limit };
    case ">":
    case ">=":
      return { min: limit, max: Number.POSITIVE_INFINITY };
    case "==":
      return { min: limit, max: limit };
    default:
      return null;
  }
}

const exchanged = { "<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!=" } as const;

function boundsOfNumber(operand: NumberTree, range: PriceRange | null): ExpressionBounds {
  if (operand.kind !== "field" || range === null) return {};
  switch (operand.field.bounds) {
    case "price":
      return { price: range };
    case "discount":
      return { minDiscount: range.min };
    case "distance":
      return { maxDistanceKm: range.max };
    default:
      return {};
  }
}

const boundsOfString = (operand: StringTree, values: ReadonlySet<string>): ExpressionBounds =>
  operand.kind === "field" && operand.field.bounds === "category" ? { categories: values } : {};

/** Returns what holds if both hold. */
function both(a: ExpressionBounds, b: ExpressionBounds): ExpressionBounds {
  const bounds = { ...a, ...b };
  if (a.price && b.price)
    bounds.price = { min: Math.max(a.price.min, b.price.min), max: Math.min(a.price.max, b.price.max) };
  if (a.minDiscount !== undefined && b.minDiscount !== undefined)
    bounds.minDiscount = Math.max(a.minDiscount, b.minDiscount);
  if (a.maxDistanceKm !== undefined && b.maxDistanceKm !== undefined)
    bounds.maxDistanceKm = Math.min(a.maxDistanceKm, b.maxDistanceKm);
  // A product may have several categories, so both sets hold. The smaller one excludes more cells.
  if (a.categories && b.categories)
    bounds.categories = a.categories.size <= b.categories.size ? a.categories : b.categories;
  return bounds;
}

/** Returns what holds if one of two holds. */
function either(a: ExpressionBounds, b: ExpressionBounds): ExpressionBounds {
  const bounds: ExpressionBounds = {};
  if (a.price && b.price)
    bounds.price = { min: Math.min(a.price.min, b.price.min), max: Math.max(a.price.max, b.price.max) };
  if (a.minDiscount !== undefined && b.minDiscount !== undefined)
    bounds.minDiscount = Math.min(a.minDiscount, b.minDiscount);
  if (a.maxDistanceKm !== undefined && b.maxDistanceKm !== undefined)
    bounds.maxDistanceKm = Math.max(a.maxDistanceKm, b.maxDistanceKm);
  if (a.categories && b.categories) bounds.categories = new Set([...a.categories, ...b.categories]);
  return bounds;
}

/** Returns what holds for every product for which a tree is true. */
export function boundsOf(tree: BooleanTree, context: ExpressionContext): ExpressionBounds {
  switch (tree.kind) {
    case "and":
      return both(boundsOf(tree.left, context), boundsOf(tree.right, context));
    case "or":
      return either(boundsOf(tree.left, context), boundsOf(tree.right, context));
    case "compareNumbers": {
      const { operator, left, right } = tree;
      const limit = fixedNumber(right, context);
      if (limit !== null) return boundsOfNumber(left, rangeOf(operator, limit));
      const leftLimit = fixedNumber(left, context);
      return leftLimit === null ? {} : boundsOfNumber(right, rangeOf(exchanged[operator], leftLimit));
    }
    case "numberInList":
      return boundsOfNumber(tree.operand, {
        min: Math.min(...tree.values),
        max: Math.max(...tree.values),
      });
    case "compareStrings": {
      if (!tree.isEqual) return {};
      const [field, other] = tree.left.kind === "field" ? [tree.left, tree.right] : [tree.right, tree.left];
      if (other.kind === "field") return {};
      const text = fixedString(other, context);
      return boundsOfString(field, new Set(text === null ? [] : [text]));
    }
    case "stringInList":
      return boundsOfString(tree.operand, tree.values);
    case "inField": {
      const text = fixedString(tree.item, context);
      return tree.field.bounds === "category" ? { categories: new Set(text === null ? [] : [text]) } : {};
    }
    default:
      return {};
  }
}
