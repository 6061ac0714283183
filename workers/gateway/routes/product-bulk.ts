import { createRoute } from "@hono/zod-openapi";
import { bulkReport, productInput } from "../../../shared/contracts/product.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import type { Gateway } from "../context.ts";
import {
  type Guard,
  json,
  kilobytes,
  linesBody,
  megabytes,
  noQuery,
  refusals,
} from "../openapi/operation.ts";
import type { Ports } from "../ports.ts";
import { handleLines } from "../request/bulk-lines.ts";

/** A request may make about 30 calls to other workers, so lines are bounded beside bytes. */
const bounds = { bytes: megabytes(32), lines: 10_000, lineLength: kilobytes(64), perCall: 500 };

/** The catalogue, many products at a time. */
export function productBulk(app: Gateway, { services, bodyRate: pace }: Ports, guard: Guard): void {
  app.openAPIRegistry.register("ProductInput", productInput.meta({ id: "ProductInput" }));
  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/products/bulk",
      summary: "Create or replace many products, one JSON object a line",
      description: `Admin, or a client key with products:write. Up to ${bounds.lines} lines and 32 MB; bad ones are reported, good ones kept.`,
      tags: ["Products"],
      ...guard("products:write"),
      request: {
        query: noQuery,
        body: linesBody("ProductInput", bounds.lines),
      },
      responses: {
        200: json("What became of the lines.", bulkReport.meta({ id: "BulkReport" })),
        ...refusals,
      },
    }),
    async (c) => {
      const { application } = c.var.caller;
      const report = await handleLines(c.req.raw, pace, productInput, bounds, async (products) => {
        unwrap(await services.product.bulk(application, products), "the product service");
        return { accepted: products.length, duplicates: 0, rejected: 0 };
      });
      return c.json(report, 200);
    },
  );
}
