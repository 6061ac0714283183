import { createRoute } from "@hono/zod-openapi";
import { bulkReport, productInput } from "../../../shared/contracts/product.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import {
  type GuardRoute,
  jsonResponse,
  kilobytes,
  megabytes,
  ndjsonBody,
  noQuery,
  problemResponses,
} from "../openapi/operation.ts";
import { handleBulkLines } from "../request/handle-bulk-lines.ts";

/** A request may make about 30 calls to other workers, so lines are bounded beside bytes. */
const limits = {
  maxBytes: megabytes(32),
  maxLines: 10_000,
  maxLineLength: kilobytes(64),
  maxLinesPerCall: 500,
};

/** The catalogue, many products at a time. */
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
      description: `Admin, or a client key with products:write. Up to ${limits.maxLines} lines and 32 MB; bad ones are reported, good ones kept.`,
      tags: ["Products"],
      ...guard("products:write"),
      request: {
        query: noQuery,
        body: ndjsonBody("ProductInput", limits.maxLines),
      },
      responses: {
        200: jsonResponse("What became of the lines.", bulkReport.meta({ id: "BulkReport" })),
        ...problemResponses,
      },
    }),
    async (c) => {
      const { application } = c.var.caller;
      const report = await handleBulkLines(c.req.raw, minRate, productInput, limits, async (products) => {
        unwrap(await services.product.putMany(application, products), "the product service");
        return { accepted: products.length, duplicates: 0, rejected: 0 };
      });
      return c.json(report, 200);
    },
  );
}
