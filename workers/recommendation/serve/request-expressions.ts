import { userListFields } from "../../../model/expressions/standard-fields.ts";
import { checkExpressions, type PlacedExpression } from "../../../model/retrieval/decide-filter.ts";
import { type AttributeTypes, filterableTypes } from "../../../shared/contracts/catalog-schema.ts";
import type { RecommendationInput } from "../../../shared/contracts/recommendation.ts";
import { ok, type Result, refuse } from "../../../shared/contracts/result.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { filterableAttributes } from "../../../shared/services/filterable-attributes.ts";

/** The fields of a request, a scenario or a variant that may have expressions. */
export type ExpressionInput = Pick<RecommendationInput, "filter" | "boosts" | "pins">;

/** Returns the conditions of the rules of a request, with their paths. */
const conditionsOf = ({ boosts = [], pins = [] }: ExpressionInput): PlacedExpression[] => [
  ...boosts.map(({ when }, i) => ({ path: `boosts[${i}].when`, source: when })),
  ...pins.flatMap(({ when }, i) => (when === undefined ? [] : [{ path: `pins[${i}].when`, source: when }])),
];

/** Returns the sources of the conditions of the rules of a request. */
export const ruleConditions = (input: ExpressionInput): string[] =>
  conditionsOf(input).map(({ source }) => source);

const expressionsOf = (input: ExpressionInput): PlacedExpression[] => [
  ...(input.filter?.expression === undefined
    ? []
    : [{ path: "filter.expression", source: input.filter.expression }]),
  ...conditionsOf(input),
];

/** Refuses wrong expressions. Each issue has the position, and the path of the field in the request, after `path`. */
export const checkInputExpressions = (
  input: ExpressionInput,
  attributes: AttributeTypes,
  path = "",
): Result<null> =>
  checkExpressions(
    expressionsOf(input).map((each) => ({ ...each, path: path + each.path })),
    userListFields,
    attributes,
  );

/** Refuses wrong expressions. They may read attributes that were declared a moment ago, so the schema is read anew. */
export async function checkStoredExpressions(
  product: Pick<RecommendationEnv["PRODUCT"], "getSchema">,
  application: string,
  input: ExpressionInput,
  path = "",
): Promise<Result<null>> {
  if (expressionsOf(input).length === 0) return ok(null);
  const schema = await product.getSchema(application);
  return schema.ok ? checkInputExpressions(input, filterableTypes(schema.value), path) : schema;
}

/**
 * Returns the declared attributes that the expressions of a request may read. Refuses wrong expressions, and with
 * `unavailable` if the attributes cannot be read.
 */
export async function attributesOfRequest(
  product: Pick<RecommendationEnv["PRODUCT"], "getSchema">,
  application: string,
  input: ExpressionInput,
  waitUntil: (work: Promise<unknown>) => void,
): Promise<Result<AttributeTypes>> {
  const sources = expressionsOf(input).map(({ source }) => source);
  const attributes = await filterableAttributes(product, application, sources, waitUntil).catch(
    (error: unknown) => {
      console.error({ event: "catalog schema not read", error: errorText(error) });
      return null;
    },
  );
  if (!attributes)
    return refuse(
      "unavailable",
      "The attributes of the expressions cannot be read now; retry the request, or name none.",
      { retryAfter: 1 },
    );
  const checked = checkInputExpressions(input, attributes);
  return checked.ok ? ok(attributes) : checked;
}
