import type { AttributeTypes } from "../../shared/contracts/catalog-schema.ts";
import type { ExpressionScope, ExpressionUser } from "../../shared/contracts/expression.ts";
import {
  type AnswerFilter,
  type DecidedFilter,
  filtersByPrice,
  type ProductFilter,
} from "../../shared/contracts/location.ts";
import type { Point } from "../../shared/contracts/primitives.ts";
import { type InputIssue, ok, type Result, refuse } from "../../shared/contracts/result.ts";
import { utcOffsetAt } from "../../shared/geo/local-time.ts";
import { cachedExpression } from "../expressions/expression-cache.ts";
import { expressionErrorText } from "../expressions/expression-error.ts";
import type { FieldTable } from "../expressions/field.ts";
import { withAttributes } from "../expressions/optional-fields.ts";
import { userListFields } from "../expressions/standard-fields.ts";

/** An expression of a request, and the path of the field that has it. */
export interface PlacedExpression {
  path: string;
  source: string;
}

/**
 * Refuses wrong expressions, with `invalid_input` and one issue for each, which has the position. They may read `fields`
 * and declared `attributes`.
 */
export function checkExpressions(
  expressions: readonly PlacedExpression[],
  fields: FieldTable,
  attributes: AttributeTypes,
): Result<null> {
  const known = withAttributes(fields, attributes);
  const issues = expressions.flatMap(({ path, source }): InputIssue[] => {
    const compiled = cachedExpression(source, known);
    if (compiled.ok) return [];
    const { line, column, length, nearest } = compiled.error;
    return [
      {
        path,
        message: expressionErrorText(compiled.error),
        position: { line, column, length },
        ...(nearest === undefined ? {} : { nearest }),
      },
    ];
  });
  if (issues.length === 0) return ok(null);
  return refuse(
    "invalid_input",
    "The expression cannot be used. See `errors` for the position and the reason.",
    {
      issues,
    },
  );
}

/**
 * Refuses a filter whose expression is wrong, with `invalid_input` and one issue that has the position. `path` is the
 * field of the request that has the expression. It may read `fields` and declared `attributes`.
 */
export const checkFilter = (
  { expression }: ProductFilter,
  fields: FieldTable,
  path: string,
  attributes: AttributeTypes,
): Result<null> =>
  checkExpressions(expression === undefined ? [] : [{ path, source: expression }], fields, attributes);

/** Returns whether an expression compares prices. It must be right. */
function readsMoney(source: string, attributes: AttributeTypes): boolean {
  const compiled = cachedExpression(source, withAttributes(userListFields, attributes));
  return compiled.ok && compiled.expression.readsMoney;
}

/** Returns whether a filter compares prices, by its bounds or by its expression. The expression must be right. */
const comparesPrices = (filter: ProductFilter, attributes: AttributeTypes): boolean =>
  filtersByPrice(filter) || (filter.expression !== undefined && readsMoney(filter.expression, attributes));

/** The moment, the location and the user of a list, and what its expression may read. */
export interface FilterMoment {
  /** Seconds since the epoch. */
  now: number;
  point: Point | null;
  /** Null in a list that is the same for every user, or if the requester may not know it. */
  user: ExpressionUser | null;
  /** The declared attributes that the expression may read. */
  attributes: AttributeTypes;
}

/**
 * Returns a filter with all that its test needs: the currency of its prices, and what its expression may know.
 * `currencyOfPlace` returns the currency of a filter that compares prices and names none; it is called for no other. The
 * currency of a filter's price bounds excludes products in others; that of its expression alone does not.
 */
export async function decideFilter(
  filter: ProductFilter,
  moment: FilterMoment,
  currencyOfPlace: () => Promise<string | null>,
): Promise<DecidedFilter> {
  const currency =
    filter.currency === undefined && comparesPrices(filter, moment.attributes)
      ? await currencyOfPlace()
      : filter.currency;
  return {
    ...filter,
    ...(currency !== undefined && (filter.currency !== undefined || filtersByPrice(filter))
      ? { currency }
      : {}),
    ...(filter.expression === undefined ? {} : { expressionScope: scopeAt(moment, currency) }),
  };
}

/** Returns what an expression may know at a moment, with the currency of its prices; undefined if nobody decided one. */
const scopeAt = (
  { now, point, user, attributes }: FilterMoment,
  currency: string | null | undefined,
): ExpressionScope => ({
  ...(currency === undefined ? {} : { currency }),
  now,
  offsetSeconds: utcOffsetAt(point?.lat ?? null, point?.lon ?? null, now),
  user,
  ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
});

/** Returns the currency that a filter compares prices in, or names; undefined if nobody decided one. */
const currencyOfFilter = ({ currency, expressionScope }: DecidedFilter): string | null | undefined =>
  currency === undefined ? expressionScope?.currency : currency;

/**
 * Returns what the conditions of a list's rules may know; their prices are in the currency of the filter. `currencyOfPlace`
 * is called if a condition compares prices and the filter has no currency.
 */
export async function decideRuleScope(
  conditions: readonly string[],
  filter: DecidedFilter,
  moment: FilterMoment,
  currencyOfPlace: () => Promise<string | null>,
): Promise<ExpressionScope> {
  const own = currencyOfFilter(filter);
  return own === undefined && conditions.some((source) => readsMoney(source, moment.attributes))
    ? scopeAt(moment, await currencyOfPlace())
    : scopeAt(moment, own);
}

/**
 * Returns what an answer says of its filter: the currency of its prices, if the filter or the conditions of rules compare
 * them, or if it is named.
 */
export function answerFilterOf(
  filter: DecidedFilter,
  ruleScope?: Pick<ExpressionScope, "currency">,
): { filter?: AnswerFilter } {
  const own = currencyOfFilter(filter);
  const currency = own === undefined ? ruleScope?.currency : own;
  return currency === undefined ? {} : { filter: { currency } };
}
