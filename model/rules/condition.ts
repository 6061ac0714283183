import type { Columns } from "../columns/columns.ts";
import { cachedExpression } from "../expressions/expression-cache.ts";
import { expressionErrorText } from "../expressions/expression-error.ts";
import { withAttributes } from "../expressions/optional-fields.ts";
import { userListFields } from "../expressions/standard-fields.ts";
import type { BlockRow } from "../features/list-summary.ts";
import type { RuleContext } from "./rule.ts";

/** A condition on products. */
export interface Condition {
  isMet(row: BlockRow): boolean;
  /** Returns 1 for each row of a block that meets the condition, 0 for the others. The caller must not change it. */
  rowsThatMeet(block: Columns): Uint8Array;
}

/**
 * Compiles the condition of a rule for one request. Throws if the expression is wrong, or if the context does not say what
 * it may know: callers refuse it before they search.
 */
export function compileCondition(source: string, { expressions }: RuleContext): Condition {
  if (!expressions)
    throw new Error("the context of a rule's condition must be decided before it is compiled");
  const { attributes = {}, ...context } = expressions;
  const compiled = cachedExpression(source, withAttributes(userListFields, attributes));
  if (!compiled.ok) throw new Error(`a rule has a wrong condition: ${expressionErrorText(compiled.error)}`);
  const { test, rowsThatPass } = compiled.expression.bind(context);
  return { isMet: ({ block, row }) => test(block, row), rowsThatMeet: rowsThatPass };
}
