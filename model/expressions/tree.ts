import type { ContextField, FlagField, ListField, NumberField, StringField, TextField } from "./field.ts";

/** Types of the values of an expression. Times and durations are numbers of seconds. */
export type ValueType = "boolean" | "number" | "string" | "time" | "duration" | "list";

export type ArithmeticOperator = "+" | "-" | "*" | "/" | "%";
export type ComparisonOperator = "<" | "<=" | ">" | ">=" | "==" | "!=";
export type StringTest = "startsWith" | "endsWith" | "contains";

/** A field whose value is the same for all products. */
export interface ContextRead {
  kind: "context";
  field: ContextField;
}

/** An expression whose value is a number, a time or a duration. */
export type NumberTree =
  | { kind: "constant"; value: number }
  | ContextRead
  | { kind: "field"; field: NumberField }
  | { kind: "negate"; operand: NumberTree }
  | { kind: "arithmetic"; operator: ArithmeticOperator; left: NumberTree; right: NumberTree }
  | { kind: "choose"; condition: BooleanTree; ifTrue: NumberTree; ifFalse: NumberTree };

/** An expression whose value is a string. */
export type StringTree =
  | { kind: "constant"; value: string }
  | ContextRead
  | { kind: "field"; field: StringField | TextField };

/** A string that is the same for all products. */
export type FixedString = Exclude<StringTree, { kind: "field" }>;

/** An expression whose value is true or false; absent counts as false. */
export type BooleanTree =
  | { kind: "constant"; value: boolean }
  | ContextRead
  | { kind: "field"; field: FlagField }
  | { kind: "not"; operand: BooleanTree }
  | { kind: "and" | "or"; left: BooleanTree; right: BooleanTree }
  | { kind: "choose"; condition: BooleanTree; ifTrue: BooleanTree; ifFalse: BooleanTree }
  | { kind: "compareNumbers"; operator: ComparisonOperator; left: NumberTree; right: NumberTree }
  | { kind: "compareStrings"; isEqual: boolean; left: StringTree; right: StringTree }
  | { kind: "compareBooleans"; isEqual: boolean; left: BooleanTree; right: BooleanTree }
  | { kind: "numberInList"; operand: NumberTree; values: readonly number[] }
  | { kind: "stringInList"; operand: StringTree; values: ReadonlySet<string> }
  | { kind: "inField"; item: FixedString; field: ListField }
  | { kind: "testString"; test: StringTest; operand: StringTree; part: FixedString }
  | { kind: "hasNumber"; operand: NumberTree }
  | { kind: "hasString"; operand: StringTree }
  | { kind: "hasBoolean"; operand: BooleanTree }
  | { kind: "hasList"; field: ListField };
