import type { AttributeTypes } from "../../shared/contracts/catalog-schema.ts";
import type { ExpressionUser } from "../../shared/contracts/expression.ts";
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

/**
 * Refuses a filter whose expression is wrong, with `invalid_input` and one issue that has the position. `path` is the
 * field of the request that has the expression. It may read `fields` and declared `attributes`.
 */
export function checkFilter(
  { expression }: ProductFilter,
  fields: FieldTable,
  path: string,
  attributes: AttributeTypes,
): Result<null> {
  if (expression === undefined) return ok(null);
  const compiled = cachedExpression(expression, withAttributes(fields, attributes));
  if (compiled.ok) return ok(null);
  const { line, column, length, nearest } = compiled.error;
  const issue: InputIssue = {
    path,
    message: expressionErrorText(compiled.error),
    position: { line, column, length },
    ...(nearest === undefined ? {} : { nearest }),
  };
  return refuse(
    "invalid_input",
    "The expression cannot be used. See `errors` for the position and the reason.",
    {
      issues: [issue],
    },
  );
}

/** Returns whether a filter compares prices, by its bounds or by its expression. The expression must be right. */
function comparesPrices(filter: ProductFilter, attributes: AttributeTypes): boolean {
  if (filtersByPrice(filter)) return true;
  if (filter.expression === undefined) return false;
  const compiled = cachedExpression(filter.expression, withAttributes(userListFields, attributes));
  return compiled.ok && compiled.expression.readsMoney;
}

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
  { now, point, user, attributes }: FilterMoment,
  currencyOfPlace: () => Promise<string | null>,
): Promise<DecidedFilter> {
  const currency =
    filter.currency === undefined && comparesPrices(filter, attributes)
      ? await currencyOfPlace()
      : filter.currency;
  return {
    ...filter,
    ...(currency !== undefined && (filter.currency !== undefined || filtersByPrice(filter))
      ? { currency }
      : {}),
    ...(filter.expression === undefined
      ? {}
      : {
          expressionScope: {
            ...(currency === undefined ? {} : { currency }),
            now,
            offsetSeconds: utcOffsetAt(point?.lat ?? null, point?.lon ?? null, now),
            user,
            ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
          },
        }),
  };
}

/** Returns what an answer says of its filter: the currency of its prices, if they are compared or if it is named. */
export function answerFilterOf(filter: DecidedFilter): { filter?: AnswerFilter } {
  const currency = filter.currency === undefined ? filter.expressionScope?.currency : filter.currency;
  return currency === undefined ? {} : { filter: { currency } };
}
