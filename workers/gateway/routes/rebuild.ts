import { createRoute } from "@hono/zod-openapi";
import { rebuildInput, rebuildStep } from "../../../shared/contracts/rebuild.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import {
  type GuardRoute,
  jsonBody,
  jsonResponse,
  kilobytes,
  noQuery,
  problemResponses,
} from "../openapi/operation.ts";

/** Derived state, made anew step by step. */
export function addRebuildRoute(app: Gateway, { services }: Dependencies, guard: GuardRoute): void {
  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/rebuild",
      summary: "One step of making totals, cells, tiles and neighbours anew from products and interactions",
      description:
        "Admin. Call it with the cursor that the step before gave until there is none; a step may be repeated. " +
        "Everything goes on being served and written meanwhile.",
      tags: ["Operations"],
      ...guard("admin", kilobytes(4)),
      request: { query: noQuery, body: jsonBody(rebuildInput.meta({ id: "RebuildBody" })) },
      responses: {
        200: jsonResponse("What was done.", rebuildStep.meta({ id: "RebuildStep" })),
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
