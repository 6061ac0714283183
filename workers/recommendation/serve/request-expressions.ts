import { nearestName } from "../../../model/expressions/nearest-name.ts";
import { userListFields } from "../../../model/expressions/standard-fields.ts";
import { checkExpressions, type PlacedExpression } from "../../../model/retrieval/decide-filter.ts";
import {
  type AttributeType,
  type AttributeTypes,
  filterableTypes,
} from "../../../shared/contracts/catalog-schema.ts";
import type { RecommendationInput } from "../../../shared/contracts/recommendation.ts";
import { type InputIssue, ok, type Result, refuse } from "../../../shared/contracts/result.ts";
import { groupingAttribute } from "../../../shared/contracts/rules.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { filterableAttributes } from "../../../shared/services/filterable-attributes.ts";

/** The fields of a request, a scenario or a variant that may have expressions, or name attributes. */
export type ExpressionInput = Pick<
  RecommendationInput,
  "filter" | "boosts" | "pins" | "caps" | "collapse" | "explore" | "objective"
>;

/** Returns the conditions of the rules of a request, with their paths. */
const conditionsOf = ({ boosts = [], pins = [], explore }: ExpressionInput): PlacedExpression[] => [
  ...boosts.map(({ when }, i) => ({ path: `boosts[${i}].when`, source: when })),
  ...pins.flatMap(({ when }, i) => (when === undefined ? [] : [{ path: `pins[${i}].when`, source: when }])),
  ...(explore?.when === undefined ? [] : [{ path: "explore.when", source: explore.when }]),
];

const expressionsOf = (input: ExpressionInput): PlacedExpression[] => [
  ...(input.filter?.expression === undefined
    ? []
    : [{ path: "filter.expression", source: input.filter.expression }]),
  ...conditionsOf(input),
];

/** An attribute that a rule names. */
interface NamedAttribute {
  path: string;
  name: string;
  /** The type that the rule needs; absent for any. */
  type?: AttributeType;
}

/** Returns the attributes that rules of a request name outside of expressions. */
const namedAttributesOf = ({ caps, collapse = [], objective }: ExpressionInput): NamedAttribute[] => [
  ...Object.keys(caps?.perAttribute ?? {}).map((name) => ({ path: `caps.perAttribute.${name}`, name })),
  ...collapse.flatMap((by, i) => {
    const name = groupingAttribute(by);
    return name === null ? [] : [{ path: `collapse[${i}]`, name }];
  }),
  ...(objective?.margin === undefined
    ? []
    : [{ path: "objective.margin", name: objective.margin, type: "number" as const }]),
];

/** Returns the conditions of the rules of a request; null if its rules have none, and name no attribute either. */
export function ruleConditions(input: ExpressionInput): string[] | null {
  const conditions = conditionsOf(input).map(({ source }) => source);
  return conditions.length === 0 && namedAttributesOf(input).length === 0 ? null : conditions;
}

/** Returns an issue for each attribute that a rule names, and that is not filterable or has another type. */
const attributeIssues = (input: ExpressionInput, attributes: AttributeTypes, path: string): InputIssue[] =>
  namedAttributesOf(input)
    .filter(({ name, type }) =>
      type === undefined ? !Object.hasOwn(attributes, name) : attributes[name] !== type,
    )
    .map((each) => {
      const names = Object.keys(attributes).filter(
        (name) => each.type === undefined || attributes[name] === each.type,
      );
      const nearest = nearestName(each.name, names);
      const wanted = each.type === undefined ? "" : ` of type ${each.type}`;
      return {
        path: path + each.path,
        message: `must name a filterable attribute${wanted} of the catalog's schema; got ${each.name}`,
        ...(nearest === undefined ? {} : { nearest }),
      };
    });

/**
 * Refuses wrong expressions, and attributes that are not filterable. Each issue has the path of the field in the request,
 * after `path`, and that of an expression its position.
 */
function checkInputExpressions(input: ExpressionInput, attributes: AttributeTypes, path = ""): Result<null> {
  const placed = expressionsOf(input).map((each) => ({ ...each, path: path + each.path }));
  const checked = checkExpressions(placed, userListFields, attributes);
  if (!checked.ok) return checked;
  const issues = attributeIssues(input, attributes, path);
  if (issues.length === 0) return ok(null);
  return refuse(
    "invalid_input",
    "A rule names an attribute that it cannot use. GET /v1/catalog/schema lists the attributes.",
    { issues },
  );
}

/** Refuses what is wrong for good. An attribute may have been declared a moment ago, so the schema is read anew. */
export async function checkStoredExpressions(
  product: Pick<RecommendationEnv["PRODUCT"], "getSchema">,
  application: string,
  input: ExpressionInput,
  path = "",
): Promise<Result<null>> {
  if (expressionsOf(input).length + namedAttributesOf(input).length === 0) return ok(null);
  const schema = await product.getSchema(application);
  return schema.ok ? checkInputExpressions(input, filterableTypes(schema.value), path) : schema;
}

/**
 * Returns the declared attributes that the expressions and rules of a request may read. Refuses wrong expressions and
 * attributes that are not filterable, and with `unavailable` if the attributes cannot be read.
 */
export async function attributesOfRequest(
  product: Pick<RecommendationEnv["PRODUCT"], "getSchema">,
  application: string,
  input: ExpressionInput,
  waitUntil: (work: Promise<unknown>) => void,
): Promise<Result<AttributeTypes>> {
  const texts = [
    ...expressionsOf(input).map(({ source }) => source),
    ...namedAttributesOf(input).map(({ name }) => `attributes.${name}`),
  ];
  const attributes = await filterableAttributes(product, application, texts, waitUntil).catch(
    (error: unknown) => {
      console.error({ event: "catalog schema not read", error: errorText(error) });
      return null;
    },
  );
  if (!attributes)
    return refuse(
      "unavailable",
      "The attributes of the rules cannot be read now; retry the request, or name none.",
      { retryAfter: 1 },
    );
  const checked = checkInputExpressions(input, attributes);
  return checked.ok ? ok(attributes) : checked;
}
