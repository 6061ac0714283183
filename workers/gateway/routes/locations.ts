import { createRoute, z } from "@hono/zod-openapi";
import { nearbyAnswer, resolvedLocation } from "../../../shared/contracts/location.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { filterableAttributes } from "../../../shared/services/filterable-attributes.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import { describeAccess } from "../keys/caller.ts";
import { filterFromQuery, filterParameters } from "../openapi/filter-parameters.ts";
import {
  type GuardRoute,
  jsonResponse,
  latitudeParameter,
  limitParameter,
  longitudeParameter,
  problemResponses,
} from "../openapi/operation.ts";
import { checkListLocation, withWarnings } from "../request/check-location.ts";

const tags = ["Locations"];

/** Adds routes that search by location. */
export function addLocationRoutes(
  app: Gateway,
  { services, runInBackground }: Dependencies,
  guard: GuardRoute,
): void {
  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/locations/nearby",
      summary: "List products near a location, nearest first",
      description: `${describeAccess("anyone")} Distances are great-circle distances in kilometers.`,
      tags,
      ...guard("anyone"),
      request: {
        query: z.strictObject({
          lat: latitudeParameter,
          lon: longitudeParameter,
          limit: limitParameter(500, 20),
          ...filterParameters,
        }),
      },
      responses: {
        200: jsonResponse("Products, nearest first.", nearbyAnswer.meta({ id: "Nearby" })),
        ...problemResponses,
      },
    }),
    async (c) => {
      const { lat, lon, limit, ...filters } = c.req.valid("query");
      const { application } = c.var.caller;
      const list = filterFromQuery(filters);
      const attributes = await filterableAttributes(
        services.product,
        application,
        [list.filter.expression],
        runInBackground,
      );
      const query = { point: { lat, lon }, limit, ...list, attributes };
      const { warnings } = checkListLocation(query.point, true);
      const value = unwrap(await services.location.nearby(application, query), "the location service");
      return c.json(withWarnings(value, warnings), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/locations/resolve",
      summary: "Get the city, country, timezone and cell of a location",
      description: `${describeAccess("anyone")} The country is the one whose borders contain the location, as ISO 3166-1 alpha-2; the city is the nearest one of that country. Both are null at sea.`,
      tags,
      ...guard("anyone"),
      request: { query: z.strictObject({ lat: latitudeParameter, lon: longitudeParameter }) },
      responses: {
        200: jsonResponse("The resolved location.", resolvedLocation.meta({ id: "Place" })),
        ...problemResponses,
      },
    }),
    async (c) =>
      c.json(
        unwrap(await services.location.resolveLocation(c.req.valid("query")), "the location service"),
        200,
      ),
  );
}
