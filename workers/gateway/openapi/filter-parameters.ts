import { z } from "@hono/zod-openapi";
import { expressionSource } from "../../../shared/contracts/expression.ts";
import { type ProductFilter, productFilter } from "../../../shared/contracts/location.ts";
import { maxAmount } from "../../../shared/contracts/minor-units.ts";
import { categoryName, currencyCode, identifier } from "../../../shared/contracts/primitives.ts";
import { parseUnknown, type Result, unwrap } from "../../../shared/contracts/result.ts";
import { decimalParameter, radiusKmParameter } from "./operation.ts";

/** Returns the schema of a query parameter that may be given several times. */
function repeatedParameter(schema: z.ZodType<string, string>, max: number) {
  const { $schema: _dialect, ...items } = z.toJSONSchema(schema, { io: "input" });
  return z
    .preprocess(
      (value) => (value === undefined || Array.isArray(value) ? value : [value]),
      z.array(schema).min(1).max(max),
    )
    .openapi({ type: "array", items: items as { type: "string" }, minItems: 1, maxItems: max });
}

const booleanParameter = z
  .enum(["true", "false"])
  .transform((text) => text === "true")
  .openapi({ type: "boolean" });

/** The query parameters that filter a list of products, as the fields of {@link productFilter} do in a body. */
export const filterParameters = {
  category: repeatedParameter(categoryName, 50).optional(),
  priceMin: decimalParameter(0, maxAmount).optional(),
  priceMax: decimalParameter(0, maxAmount).optional(),
  currency: currencyCode.optional(),
  discountMin: decimalParameter(0, 1).optional(),
  radiusKm: radiusKmParameter.optional(),
  includeUnavailable: booleanParameter.optional(),
  openNow: booleanParameter.optional(),
  expression: expressionSource.optional(),
  exclude: repeatedParameter(identifier, 500).optional(),
};

/** The values of {@link filterParameters}. */
type FilterQuery = z.infer<z.ZodObject<typeof filterParameters>>;

/** Returns a result whose issues name a field of a filter as the query parameter that it is. */
export const withParameterPaths = <T>(result: Result<T>): Result<T> =>
  result.ok
    ? result
    : {
        ok: false,
        error: {
          ...result.error,
          ...(result.error.issues
            ? {
                issues: result.error.issues.map((issue) => ({
                  ...issue,
                  path: issue.path.replace(/^filter\./, ""),
                })),
              }
            : {}),
        },
      };

/** Returns the filter, and the products to leave out, of a query. */
export function filterFromQuery({ category, exclude = [], ...rest }: FilterQuery): {
  filter: ProductFilter;
  exclude: string[];
} {
  const filter = parseUnknown(productFilter, { ...rest, ...(category ? { categories: category } : {}) });
  return { filter: unwrap(filter, "the gateway"), exclude };
}
