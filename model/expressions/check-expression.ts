import type { ASTNode } from "@marcbachmann/cel-js";
import { InvalidExpression } from "./expression-error.ts";
import type { Field, FieldTable } from "./field.ts";
import { nearestName } from "./nearest-name.ts";
import { durationSeconds, timestampSeconds } from "./time-literals.ts";
import type {
  ArithmeticOperator,
  BooleanTree,
  ComparisonOperator,
  ContextRead,
  FixedString,
  NumberTree,
  StringTest,
  StringTree,
  ValueType,
} from "./tree.ts";

/** A checked part of an expression. */
type Checked =
  | { type: "number" | "time" | "duration"; tree: NumberTree }
  | { type: "string"; tree: StringTree }
  | { type: "boolean"; tree: BooleanTree }
  | { type: "list"; field: Extract<Field, { kind: "lists" }> };

const stringTests: readonly string[] = ["startsWith", "endsWith", "contains"] satisfies StringTest[];
/** Functions and methods of the language. */
const functionNames = ["has", "timestamp", "duration", ...stringTests];
const comparisonOperators: readonly string[] = [
  "<",
  "<=",
  ">",
  ">=",
  "==",
  "!=",
] satisfies ComparisonOperator[];
const arithmeticOperators: readonly string[] = ["+", "-", "*", "/", "%"] satisfies ArithmeticOperator[];

/** Names of types in messages. */
const typeNames: Readonly<Record<ValueType, string>> = {
  boolean: "true or false",
  number: "a number",
  string: "a string",
  time: "a time",
  duration: "a duration",
  list: "a list",
};

/** Characters of the source that a message quotes. */
const maxQuoted = 60;

/** Returns a part of the source as a message quotes it. */
function quoteNode({ input, start, end }: ASTNode): string {
  const text = input.slice(start, end).replace(/\s+/g, " ");
  return `\`${text.length <= maxQuoted ? text : `${text.slice(0, maxQuoted).toWellFormed()}…`}\``;
}

const invalid = (node: ASTNode, reason: string, nearest?: string): InvalidExpression =>
  new InvalidExpression({ start: node.start, end: node.end }, reason, nearest);

/** Returns the dotted name that a node spells; null for a node that is no name. */
function nameOf(node: ASTNode): string | null {
  if (node.op === "id") return node.args;
  if (node.op === ".") {
    const parent = nameOf(node.args[0]);
    return parent === null ? null : `${parent}.${node.args[1]}`;
  }
  if (node.op !== "[]" || node.args[1].op !== "value" || typeof node.args[1].args !== "string") return null;
  const parent = nameOf(node.args[0]);
  return parent === null ? null : `${parent}.${node.args[1].args}`;
}

/** Checks the names and types of an expression, and returns it as a tree of typed operations. */
class Checker {
  readonly #fields: FieldTable;
  /** The fields that the expression reads, by their names. */
  readonly read = new Map<string, Field>();

  constructor(fields: FieldTable) {
    this.#fields = fields;
  }

  /** Returns an expression whose value is true or false. Throws {@link InvalidExpression} for any other. */
  boolean(node: ASTNode): BooleanTree {
    const checked = this.#check(node);
    if (checked.type === "boolean") return checked.tree;
    throw invalid(
      node,
      `${quoteNode(node)} is ${typeNames[checked.type]}; write a condition, such as a comparison`,
    );
  }

  #check(node: ASTNode): Checked {
    switch (node.op) {
      case "value":
        return this.#literal(node, node.args);
      case "id":
      case ".":
      case "[]":
        return this.#field(node);
      case "!_":
        return { type: "boolean", tree: { kind: "not", operand: this.boolean(node.args) } };
      case "-_": {
        const operand = this.#check(node.args);
        if (operand.type !== "number" && operand.type !== "duration")
          throw invalid(node, `${quoteNode(node.args)} is ${typeNames[operand.type]}, which has no negative`);
        return { type: operand.type, tree: { kind: "negate", operand: operand.tree } };
      }
      case "&&":
      case "||": {
        const [left, right] = [this.boolean(node.args[0]), this.boolean(node.args[1])];
        return { type: "boolean", tree: { kind: node.op === "&&" ? "and" : "or", left, right } };
      }
      case "?:":
        return this.#choose(node, node.args);
      case "in":
        return { type: "boolean", tree: this.#in(node, node.args[0], node.args[1]) };
      case "call":
        return this.#call(node, node.args[0], node.args[1]);
      case "rcall":
        return { type: "boolean", tree: this.#method(node, node.args) };
      case "list":
        throw invalid(node, "a list of values may only follow `in`");
      default:
    }
    if (node.op === "map" || node.op === ".?" || node.op === "[?]")
      throw invalid(node, "maps and optional values are not part of this language");
    if (comparisonOperators.includes(node.op))
      return {
        type: "boolean",
        tree: this.#compare(node, node.op as ComparisonOperator, node.args[0], node.args[1]),
      };
    if (arithmeticOperators.includes(node.op))
      return this.#arithmetic(node, node.op as ArithmeticOperator, node.args[0], node.args[1]);
    throw invalid(node, `\`${node.op}\` is not part of this language`);
  }

  #literal(node: ASTNode, value: unknown): Checked {
    switch (typeof value) {
      case "boolean":
        return { type: "boolean", tree: { kind: "constant", value } };
      case "string":
        return { type: "string", tree: { kind: "constant", value } };
      case "number":
        return { type: "number", tree: { kind: "constant", value } };
      case "bigint": {
        const number = Number(value);
        if (!Number.isSafeInteger(number))
          throw invalid(node, `must be a number below 2^53; got ${quoteNode(node)}`);
        return { type: "number", tree: { kind: "constant", value: number } };
      }
      default:
    }
    if (value === null) throw invalid(node, "a value is never null; test for its presence with `has(...)`");
    throw invalid(
      node,
      `${quoteNode(node)} is not part of this language; write a number without a suffix, or a string`,
    );
  }

  /** Returns the field that a node names. */
  #fieldOf(node: ASTNode): Field {
    const name = nameOf(node);
    if (name === null) throw invalid(node, `${quoteNode(node)} is no field`);
    const field = this.#fields.get(name);
    if (field) {
      this.read.set(name, field);
      return field;
    }
    const known = [...this.#fields.keys()];
    if (known.some((each) => each.startsWith(`${name}.`)))
      throw invalid(node, `\`${name}\` has no value of its own; name one of its fields`);
    throw invalid(node, `\`${name}\` is not a known field`, nearestName(name, known));
  }

  #field(node: ASTNode): Checked {
    const field = this.#fieldOf(node);
    switch (field.kind) {
      case "numbers":
        return { type: field.type, tree: { kind: "field", field } };
      case "strings":
      case "texts":
        return { type: "string", tree: { kind: "field", field } };
      case "flags":
        return { type: "boolean", tree: { kind: "field", field } };
      case "lists":
        return { type: "list", field };
      default: {
        const tree: ContextRead = { kind: "context", field };
        return { type: field.type, tree };
      }
    }
  }

  #choose(node: ASTNode, [first, second, third]: readonly [ASTNode, ASTNode, ASTNode]): Checked {
    const condition = this.boolean(first);
    const [ifTrue, ifFalse] = [this.#check(second), this.#check(third)];
    if (ifTrue.type !== ifFalse.type)
      throw invalid(
        node,
        `${quoteNode(second)} is ${typeNames[ifTrue.type]}, and ${quoteNode(third)} is ${typeNames[ifFalse.type]}; both must have one type`,
      );
    if (ifTrue.type === "boolean" && ifFalse.type === "boolean")
      return {
        type: "boolean",
        tree: { kind: "choose", condition, ifTrue: ifTrue.tree, ifFalse: ifFalse.tree },
      };
    if (isNumeric(ifTrue) && isNumeric(ifFalse))
      return {
        type: ifTrue.type,
        tree: { kind: "choose", condition, ifTrue: ifTrue.tree, ifFalse: ifFalse.tree },
      };
    throw invalid(node, "`? :` chooses between numbers, times, durations or conditions only");
  }

  #compare(node: ASTNode, operator: ComparisonOperator, first: ASTNode, second: ASTNode): BooleanTree {
    const [left, right] = [this.#check(first), this.#check(second)];
    if (left.type === "list" || right.type === "list")
      throw invalid(node, `a list cannot be compared with \`${operator}\`; write \`value in list\``);
    if (left.type !== right.type)
      throw invalid(
        node,
        `${quoteNode(first)} is ${typeNames[left.type]}, and ${quoteNode(second)} is ${typeNames[right.type]}; only values of one type can be compared`,
      );
    if (isNumeric(left) && isNumeric(right))
      return { kind: "compareNumbers", operator, left: left.tree, right: right.tree };
    if (operator !== "==" && operator !== "!=")
      throw invalid(node, `${typeNames[left.type]} can be compared with \`==\` and \`!=\` only`);
    const isEqual = operator === "==";
    return left.type === "string"
      ? { kind: "compareStrings", isEqual, left: left.tree, right: right.tree as StringTree }
      : {
          kind: "compareBooleans",
          isEqual,
          left: left.tree as BooleanTree,
          right: right.tree as BooleanTree,
        };
  }

  #arithmetic(node: ASTNode, operator: ArithmeticOperator, first: ASTNode, second: ASTNode): Checked {
    const [left, right] = [this.#check(first), this.#check(second)];
    const type = arithmeticType(left.type, operator, right.type);
    if (type === null || !isNumeric(left) || !isNumeric(right))
      throw invalid(
        node,
        `\`${operator}\` cannot be used with ${quoteNode(first)}, which is ${typeNames[left.type]}, and ${quoteNode(second)}, which is ${typeNames[right.type]}`,
      );
    return { type, tree: { kind: "arithmetic", operator, left: left.tree, right: right.tree } };
  }

  #in(node: ASTNode, first: ASTNode, second: ASTNode): BooleanTree {
    const left = this.#check(first);
    if (second.op === "list") return this.#inValues(first, left, second.args);
    const right = this.#check(second);
    if (right.type !== "list")
      throw invalid(second, `${quoteNode(second)} is ${typeNames[right.type]}; \`in\` needs a list`);
    if (left.type !== "string")
      throw invalid(
        first,
        `${quoteNode(first)} is ${typeNames[left.type]}; ${quoteNode(second)} has strings`,
      );
    if (left.tree.kind === "field")
      throw invalid(node, `${quoteNode(first)} differs by product; write a string before \`in\``);
    return { kind: "inField", item: left.tree, field: right.field };
  }

  #inValues(first: ASTNode, left: Checked, nodes: readonly ASTNode[]): BooleanTree {
    const values = nodes.map((each) => {
      const checked = this.#check(each);
      const constant = checked.type === "list" ? null : constantOf(checked);
      if (constant === null) throw invalid(each, `must be a constant; got ${quoteNode(each)}`);
      if (checked.type !== left.type)
        throw invalid(
          each,
          `${quoteNode(each)} is ${typeNames[checked.type]}, and ${quoteNode(first)} is ${typeNames[left.type]}; the list must have values of one type`,
        );
      return constant;
    });
    if (left.type === "string")
      return { kind: "stringInList", operand: left.tree, values: new Set(values as string[]) };
    if (isNumeric(left)) return { kind: "numberInList", operand: left.tree, values: values as number[] };
    throw invalid(
      first,
      `${quoteNode(first)} is ${typeNames[left.type]}; write a number, a time or a string before \`in\``,
    );
  }

  #call(node: ASTNode, name: string, args: readonly ASTNode[]): Checked {
    if (name === "has") return { type: "boolean", tree: this.#has(node, args) };
    const parse = name === "timestamp" ? timestampSeconds : name === "duration" ? durationSeconds : null;
    if (!parse) throw this.#unknownFunction(node, name);
    const [argument] = args;
    const text = argument?.op === "value" ? argument.args : null;
    const value = args.length === 1 && typeof text === "string" ? parse(text) : null;
    if (value === null)
      throw invalid(
        argument ?? node,
        name === "timestamp"
          ? 'must be a time in ISO 8601, such as timestamp("2026-01-31T12:00:00Z")'
          : 'must be a duration of days, hours, minutes and seconds, such as duration("7d") or duration("1h30m")',
      );
    return { type: name === "timestamp" ? "time" : "duration", tree: { kind: "constant", value } };
  }

  #unknownFunction(node: ASTNode, name: string): InvalidExpression {
    if (name === "matches")
      return invalid(
        node,
        "`matches` is not part of this language, because the time of a regular expression has no bound; use `contains`, `startsWith` or `endsWith`",
      );
    return invalid(
      node,
      `\`${name}\` is not a known function; known are ${functionNames.map((each) => `\`${each}\``).join(", ")}`,
      nearestName(name, functionNames),
    );
  }

  #has(node: ASTNode, args: readonly ASTNode[]): BooleanTree {
    const [argument] = args;
    if (args.length !== 1 || nameOf(argument) === null)
      throw invalid(node, "`has` needs the name of one field, such as `has(product.price)`");
    const checked = this.#field(argument);
    switch (checked.type) {
      case "list":
        return { kind: "hasList", field: checked.field };
      case "string":
        return { kind: "hasString", operand: checked.tree };
      case "boolean":
        return { kind: "hasBoolean", operand: checked.tree };
      default:
        return { kind: "hasNumber", operand: checked.tree };
    }
  }

  #method(
    node: ASTNode,
    [name, receiver, args]: readonly [string, ASTNode, readonly ASTNode[]],
  ): BooleanTree {
    if (!stringTests.includes(name)) throw this.#unknownFunction(node, name);
    const operand = this.#check(receiver);
    if (operand.type !== "string")
      throw invalid(
        receiver,
        `${quoteNode(receiver)} is ${typeNames[operand.type]}; \`${name}\` needs a string before it`,
      );
    const part = args.length === 1 ? this.#check(args[0]) : null;
    if (part?.type !== "string" || part.tree.kind === "field")
      throw invalid(node, `\`${name}\` needs one string, such as \`product.title.${name}("tea")\``);
    return {
      kind: "testString",
      test: name as StringTest,
      operand: operand.tree,
      part: part.tree as FixedString,
    };
  }
}

const isNumeric = (checked: Checked): checked is Extract<Checked, { type: "number" | "time" | "duration" }> =>
  checked.type === "number" || checked.type === "time" || checked.type === "duration";

/** Returns the value of a constant; null for any other expression. */
function constantOf({ tree }: Exclude<Checked, { type: "list" }>): string | number | boolean | null {
  if (tree.kind === "constant") return tree.value;
  if (tree.kind === "negate" && tree.operand.kind === "constant") return -tree.operand.value;
  return null;
}

/** Returns the type of a calculation; null if the types do not fit the operator. */
function arithmeticType(
  left: ValueType,
  operator: ArithmeticOperator,
  right: ValueType,
): "number" | "time" | "duration" | null {
  const isScale = operator === "*" || operator === "/";
  if (left === "number" && right === "number") return "number";
  if (left === "duration" && right === "number" && isScale) return "duration";
  if (left === "duration" && right === "duration")
    return operator === "/" ? "number" : operator === "+" || operator === "-" ? "duration" : null;
  if (left === "time" && right === "duration") return operator === "+" || operator === "-" ? "time" : null;
  if (left === "time" && right === "time") return operator === "-" ? "duration" : null;
  return null;
}

/** A checked expression, and the fields that it reads, by their names. */
export interface CheckedExpression {
  tree: BooleanTree;
  read: ReadonlyMap<string, Field>;
}

/** Checks a parsed expression, whose value must be true or false. Throws {@link InvalidExpression} if it is wrong. */
export function checkExpression(node: ASTNode, fields: FieldTable): CheckedExpression {
  const checker = new Checker(fields);
  return { tree: checker.boolean(node), read: checker.read };
}
