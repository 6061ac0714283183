import { createRoute } from "@hono/zod-openapi";
import { rebuildInput, rebuildStep } from "../../../shared/contracts/rebuild.ts";
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

/** Adds the route that recomputes derived state step by step. */
export function addRebuildRoute(app: Gateway, { services }: Dependencies, guard: GuardRoute): void {
  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/rebuild",
      summary:
        "Run one step of rebuilding totals, cells, tiles and next products from products and interactions",
      description:
        `${describeAccess("admin")} Send no \`cursor\` first, then the \`nextCursor\` of the previous answer, until an ` +
        "answer has none. A step may be repeated. Meanwhile the service keeps recommending and recording events.",
      tags: ["Operations"],
      ...guard("admin", kilobytes(4)),
      request: { query: noQuery, body: jsonBody(rebuildInput.meta({ id: "RebuildBody" })) },
      responses: {
        200: jsonResponse(
          "What the step rebuilt, and the cursor of the next step.",
          rebuildStep.meta({ id: "RebuildStep" }),
        ),
        ...problemResponses,
      },
    }),
    async (c) =>
      c.json(
        unwrap(
          await services.recommendation.runRebuildStep(c.var.caller.application, c.req.valid("json").cursor),
          "the recommendation service",
        ),
        200,
      ),
  );
}
