import { createRoute } from "@hono/zod-openapi";
import {
  catalogSchema,
  catalogSchemaInput,
  maxDeclaredAttributes,
  maxFilterableAttributes,
} from "../../../shared/contracts/catalog-schema.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import { describeAccess } from "../keys/caller.ts";
import {
  type GuardRoute,
  jsonBody,
  jsonResponse,
  kilobytes,
  noQuery,
  problemResponses,
} from "../openapi/operation.ts";

const stored = catalogSchema.meta({ id: "CatalogSchema" });
const body = catalogSchemaInput.meta({ id: "CatalogSchemaBody" });
const path = "/v1/catalog/schema";
const tags = ["Products"];

/** Adds the routes that read and replace the declared attributes of products. */
export function addCatalogSchemaRoutes(app: Gateway, { services }: Dependencies, guard: GuardRoute): void {
  app.openapi(
    createRoute({
      method: "get",
      path,
      summary: "Get the declared attributes of products",
      description: `${describeAccess("server")} \`publication\` says how far the map has their columns.`,
      tags,
      ...guard("server"),
      request: { query: noQuery },
      responses: { 200: jsonResponse("The schema.", stored), ...problemResponses },
    }),
    async (c) =>
      c.json(unwrap(await services.product.getSchema(c.var.caller.application), "the product service"), 200),
  );

  app.openapi(
    createRoute({
      method: "put",
      path,
      summary: "Declare the attributes of products",
      description:
        `${describeAccess("products:write")} At most ${maxDeclaredAttributes} attributes, of which ` +
        `${maxFilterableAttributes} are filterable. From then on, a product whose declared attribute has another type is ` +
        "refused. A job publishes the columns that change, and lists are served meanwhile. A stored product whose value " +
        "does not fit has no value in the column.",
      tags,
      ...guard("products:write", kilobytes(64)),
      request: { query: noQuery, body: jsonBody(body) },
      responses: { 200: jsonResponse("The stored schema.", stored), ...problemResponses },
    }),
    async (c) =>
      c.json(
        unwrap(
          await services.product.putSchema(c.var.caller.application, c.req.valid("json")),
          "the product service",
        ),
        200,
      ),
  );
}
