import { listFields } from "./standard-fields.ts";

/** The value of a random expression: null stands for absent, times and durations are numbers of seconds. */
export type NaiveValue = number | string | boolean | null | readonly string[];

/** A random expression, as its source is written. */
export type RandomExpression =
  | { kind: "literal"; source: string; value: number | string | boolean }
  | { kind: "field"; name: string }
  | { kind: "unary"; operator: "!" | "-"; operand: RandomExpression }
  | { kind: "binary"; operator: string; left: RandomExpression; right: RandomExpression }
  | { kind: "choose"; condition: RandomExpression; ifTrue: RandomExpression; ifFalse: RandomExpression }
  | { kind: "inValues"; operand: RandomExpression; values: readonly { source: string; value: NaiveValue }[] }
  | { kind: "inField"; item: RandomExpression; name: string }
  | {
      kind: "method";
      name: "startsWith" | "endsWith" | "contains";
      operand: RandomExpression;
      part: RandomExpression;
    }
  | { kind: "has"; name: string };

/** Returns the source of a random expression, with all parentheses. */
export function sourceOf(tree: RandomExpression): string {
  switch (tree.kind) {
    case "literal":
      return tree.source;
    case "field":
      return tree.name;
    case "unary":
      return `${tree.operator}(${sourceOf(tree.operand)})`;
    case "binary":
      return `(${sourceOf(tree.left)}) ${tree.operator} (${sourceOf(tree.right)})`;
    case "choose":
      return `(${sourceOf(tree.condition)}) ? (${sourceOf(tree.ifTrue)}) : (${sourceOf(tree.ifFalse)})`;
    case "inValues":
      return `(${sourceOf(tree.operand)}) in [${tree.values.map(({ source }) => source).join(", ")}]`;
    case "inField":
      return `(${sourceOf(tree.item)}) in ${tree.name}`;
    case "method":
      return `(${sourceOf(tree.operand)}).${tree.name}(${sourceOf(tree.part)})`;
    case "has":
      return `has(${tree.name})`;
  }
}

/** Returns the value of a random expression for one product, whose fields are values by name. Walks the tree. */
export function evaluateNaively(
  tree: RandomExpression,
  fields: Readonly<Record<string, NaiveValue>>,
): NaiveValue {
  const value = (of: RandomExpression): NaiveValue => evaluateNaively(of, fields);
  const isTrue = (of: RandomExpression): boolean => value(of) === true;
  switch (tree.kind) {
    case "literal":
      return tree.value;
    case "field":
      return fields[tree.name];
    case "unary":
      if (tree.operator === "!") return !isTrue(tree.operand);
      return negative(value(tree.operand));
    case "binary":
      if (tree.operator === "&&") return isTrue(tree.left) && isTrue(tree.right);
      if (tree.operator === "||") return isTrue(tree.left) || isTrue(tree.right);
      return combine(tree.operator, value(tree.left), value(tree.right));
    case "choose":
      return isTrue(tree.condition) ? value(tree.ifTrue) : value(tree.ifFalse);
    case "inValues": {
      const operand = value(tree.operand);
      return operand !== null && tree.values.some((each) => each.value === operand);
    }
    case "inField": {
      const [item, list] = [value(tree.item), fields[tree.name]];
      const field = listFields.get(tree.name);
      const isPath = field?.kind === "lists" && field.isPath;
      return (
        typeof item === "string" &&
        Array.isArray(list) &&
        list.some((each: string) => (isPath ? each === item || each.startsWith(`${item} > `) : each === item))
      );
    }
    case "method": {
      const [operand, part] = [value(tree.operand), value(tree.part)];
      if (typeof operand !== "string" || typeof part !== "string") return false;
      if (tree.name === "startsWith") return operand.startsWith(part);
      return tree.name === "endsWith" ? operand.endsWith(part) : operand.includes(part);
    }
    case "has": {
      const found = fields[tree.name];
      return Array.isArray(found) ? found.length > 0 : found !== null;
    }
  }
}

const negative = (value: NaiveValue): NaiveValue => (typeof value === "number" ? -value : null);

/** Returns the result of a comparison or calculation: false or absent if one of the values is absent. */
function combine(operator: string, left: NaiveValue, right: NaiveValue): NaiveValue {
  const isComparison = /^[<>=!]/.test(operator);
  if (left === null || right === null) return isComparison ? false : null;
  if (operator === "==") return left === right;
  if (operator === "!=") return left !== right;
  if (typeof left !== "number" || typeof right !== "number") throw new Error(`no ${operator} of these types`);
  switch (operator) {
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    case ">=":
      return left >= right;
    default:
  }
  if (operator === "/" && right === 0) return null;
  const results: Record<string, number> = {
    "+": left + right,
    "-": left - right,
    "*": left * right,
    "/": left / right,
    "%": left % right,
  };
  return Number.isNaN(results[operator]) ? null : results[operator];
}
