import { createRoute, z } from "@hono/zod-openapi";
import { answerFilter, searched } from "../../../shared/contracts/location.ts";
import { identifier } from "../../../shared/contracts/primitives.ts";
import { shownProduct } from "../../../shared/contracts/product.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { inputWarning } from "../../../shared/contracts/warning.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import { describeAccess } from "../keys/caller.ts";
import { filterFromQuery, filterParameters } from "../openapi/filter-parameters.ts";
import {
  type GuardRoute,
  idPath,
  jsonResponse,
  latitudeParameter,
  limitParameter,
  longitudeParameter,
  problemResponses,
} from "../openapi/operation.ts";
import { checkListLocation, withWarnings } from "../request/check-location.ts";
import { pointFromQuery } from "../request/point-from-query.ts";

const list = z
  .object({
    items: z.array(
      z.object({
        productId: identifier,
        rank: z.number().int(),
        score: z.number(),
        product: shownProduct,
      }),
    ),
    searched,
    filter: answerFilter.optional(),
    warnings: z.array(inputWarning).optional(),
  })
  .openapi("ProductList");
const tags = ["Recommendations"];

/** Adds routes of product lists that are the same for every user. */
export function addDiscoveryRoutes(app: Gateway, { services }: Dependencies, guard: GuardRoute): void {
  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/products/{id}/similar",
      summary: "List products that users chose after a product, and nearby products of its category",
      description: describeAccess("anyone"),
      tags,
      ...guard("anyone"),
      request: {
        params: idPath,
        query: z.strictObject({ limit: limitParameter(100, 10), ...filterParameters }),
      },
      responses: { 200: jsonResponse("Products, the most similar first.", list), ...problemResponses },
    }),
    async (c) => {
      const { limit, ...filters } = c.req.valid("query");
      const query = { limit, ...filterFromQuery(filters) };
      const { application } = c.var.caller;
      return c.json(
        unwrap(
          await services.recommendation.similar(application, c.req.valid("param").id, query),
          "the recommendation service",
        ),
        200,
      );
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/trending",
      summary: "List the products that users choose most at the moment, near a location or worldwide",
      description: describeAccess("anyone"),
      tags,
      ...guard("anyone"),
      request: {
        query: z.strictObject({
          lat: latitudeParameter.optional(),
          lon: longitudeParameter.optional(),
          limit: limitParameter(100, 10),
          ...filterParameters,
        }),
      },
      responses: { 200: jsonResponse("Products, the most chosen first.", list), ...problemResponses },
    }),
    async (c) => {
      const { lat, lon, limit, ...filters } = c.req.valid("query");
      const query = { limit, ...filterFromQuery(filters) };
      const { application } = c.var.caller;
      const { location, warnings } = checkListLocation(pointFromQuery(lat, lon) ?? null);
      const value = unwrap(
        await services.recommendation.trending(application, location, query),
        "the recommendation service",
      );
      return c.json(withWarnings(value, warnings), 200);
    },
  );
}
