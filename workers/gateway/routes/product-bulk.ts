import { createRoute } from "@hono/zod-openapi";
import { bulkReport, productInput } from "../../../shared/contracts/product.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import { describeAccess } from "../keys/caller.ts";
import {
  describeBulkReport,
  type GuardRoute,
  jsonResponse,
  kilobytes,
  megabytes,
  ndjsonBody,
  noQuery,
  problemResponses,
} from "../openapi/operation.ts";
import { checkLocation } from "../request/check-location.ts";
import { handleBulkLines } from "../request/handle-bulk-lines.ts";

/** Limits of one request. A full request makes 20 calls to other workers; the platform allows a request about 30. */
const limits = {
  maxBytes: megabytes(32),
  maxLines: 10_000,
  maxLineBytes: kilobytes(64),
  maxLinesPerCall: 500,
};

/** Adds the route that creates or replaces many products. */
export function addProductBulkRoute(
  app: Gateway,
  { services, minBodyRate: minRate }: Dependencies,
  guard: GuardRoute,
): void {
  app.openAPIRegistry.register("ProductInput", productInput.meta({ id: "ProductInput" }));
  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/products/bulk",
      summary: "Create or replace many products, one JSON object a line",
      description: `${describeAccess("products:write")} At most ${limits.maxLines} lines and 32 MiB. ${describeBulkReport}`,
      tags: ["Products"],
      ...guard("products:write"),
      request: {
        query: noQuery,
        body: ndjsonBody("ProductInput", limits.maxLines),
      },
      responses: {
        200: jsonResponse(
          "How many lines were accepted or rejected, and why.",
          bulkReport.meta({ id: "BulkReport" }),
        ),
        ...problemResponses,
      },
    }),
    async (c) => {
      const { application } = c.var.caller;
      const report = await handleBulkLines(c.req.raw, minRate, productInput, limits, async (products) => {
        const checked = products.map(({ location }) => checkLocation(location, "location"));
        const stored = products.map((each, i) => ({ ...each, location: checked[i].location }));
        const { rejected = [] } = unwrap(
          await services.product.putMany(application, stored),
          "the product service",
        );
        const warnings = checked.flatMap((each, index) =>
          each.warnings.map(({ code, message }) => ({ index, code, message })),
        );
        const refused = new Set(rejected.map(({ index }) => index));
        return {
          accepted: products.length - rejected.length,
          duplicates: 0,
          rejected: rejected.map(({ index, path, message }) => ({
            index,
            error: { code: "invalid_input", path, message },
          })),
          warnings: warnings.filter(({ index }) => !refused.has(index)),
        };
      });
      return c.json(report, 200);
    },
  );
}
