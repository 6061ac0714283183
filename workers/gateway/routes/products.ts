import { createRoute, z } from "@hono/zod-openapi";
import { categoryName } from "../../../shared/contracts/primitives.ts";
import {
  checkProduct,
  product,
  productFields,
  productPatch,
  productWithTotals,
} from "../../../shared/contracts/product.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { inputWarning } from "../../../shared/contracts/warning.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import { throwRefusal } from "../errors/throw-refusal.ts";
import { describeAccess } from "../keys/caller.ts";
import {
  type GuardRoute,
  idPath,
  jsonBody,
  jsonResponse,
  kilobytes,
  noQuery,
  pageParameters,
  problemResponses,
} from "../openapi/operation.ts";
import { checkLocation, withWarnings } from "../request/check-location.ts";
import { shownTotals } from "../request/shown-totals.ts";

const stored = product.meta({ id: "Product" });
const answer = product.extend({ warnings: z.array(inputWarning).optional() }).meta({ id: "WrittenProduct" });
const withTotals = productWithTotals.meta({ id: "ProductWithTotals" });
const written = productFields
  .omit({ id: true })
  .extend({ id: productFields.shape.id.optional() })
  .superRefine(checkProduct);
const patch = productPatch.meta({ id: "ProductPatch" });
const list = z.object({ items: z.array(stored), nextCursor: z.string().optional() });
const tags = ["Products"];

/** Adds routes to list, create, read, change and delete products. */
export function addProductRoutes(
  app: Gateway,
  { services, settings }: Dependencies,
  guard: GuardRoute,
): void {
  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/products",
      summary: "List products",
      description: `${describeAccess("anyone")} With \`category\`, the products whose main category is that one or inside it: \`Drinks\` lists \`Drinks > Coffee\` too.`,
      tags,
      ...guard("anyone"),
      request: { query: pageParameters.extend({ category: categoryName.optional() }) },
      responses: { 200: jsonResponse("A page of products.", list), ...problemResponses },
    }),
    async (c) =>
      c.json(
        unwrap(
          await services.product.list(c.var.caller.application, c.req.valid("query")),
          "the product service",
        ),
        200,
      ),
  );

  app.openapi(
    createRoute({
      method: "put",
      path: "/v1/products/{id}",
      summary: "Create or replace a product",
      description: `${describeAccess("products:write")} The body may repeat the id of the path. A location of (0, 0) is stored as null, with a warning.`,
      tags,
      ...guard("products:write", kilobytes(64)),
      request: {
        params: idPath,
        query: noQuery,
        body: jsonBody(written),
      },
      responses: {
        200: jsonResponse("Replaced.", answer),
        201: jsonResponse("Created.", answer),
        ...problemResponses,
      },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const body = c.req.valid("json");
      if (body.id !== undefined && body.id !== id)
        throwRefusal(
          "conflict",
          "The id in the body differs from the id in the path; send the same id, or none.",
          {
            issues: [{ path: "id", message: `must be ${id}, as in the path` }],
          },
        );
      const { location, warnings } = checkLocation(body.location, "location");
      const { product: value, created } = unwrap(
        await services.product.put(c.var.caller.application, { ...body, id, location }),
        "the product service",
      );
      return c.json(withWarnings(value, warnings), created ? 201 : 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/products/{id}",
      summary: "Get a product with the totals of its interactions",
      description: `${describeAccess("anyone")} For tokens and publishable keys, the totals are zero while few users chose the product.`,
      tags,
      ...guard("anyone"),
      request: { params: idPath, query: noQuery },
      responses: { 200: jsonResponse("The product.", withTotals), ...problemResponses },
    }),
    async (c) => {
      const { id } = c.req.valid("param");
      const { application } = c.var.caller;
      const [found, counted] = await Promise.all([
        services.product.get(application, id),
        services.user.lifetimeTotals(application, [id]),
      ]);
      const value = unwrap(found, "the product service");
      const [totals] = unwrap(counted, "the user service");
      return c.json({ ...value, totals: shownTotals(totals, c.var.caller, settings.minUsersShown) }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "patch",
      path: "/v1/products/{id}",
      summary: "Change some fields of a product",
      description: describeAccess("products:write"),
      tags,
      ...guard("products:write", kilobytes(64)),
      request: { params: idPath, query: noQuery, body: jsonBody(patch) },
      responses: { 200: jsonResponse("The changed product.", answer), ...problemResponses },
    }),
    async (c) => {
      const body = c.req.valid("json");
      const { location, warnings } = checkLocation(body.location, "location");
      const changes = location === undefined ? body : { ...body, location };
      const value = unwrap(
        await services.product.patch(c.var.caller.application, c.req.valid("param").id, changes),
        "the product service",
      );
      return c.json(withWarnings(value, warnings), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "delete",
      path: "/v1/products/{id}",
      summary: "Delete a product and its images",
      description: describeAccess("products:write"),
      tags,
      ...guard("products:write"),
      request: { params: idPath, query: noQuery },
      responses: { 204: { description: "Deleted." }, ...problemResponses },
    }),
    async (c) => {
      unwrap(
        await services.product.remove(c.var.caller.application, c.req.valid("param").id),
        "the product service",
      );
      return c.body(null, 204);
    },
  );
}
