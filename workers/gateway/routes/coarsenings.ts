import { createRoute } from "@hono/zod-openapi";
import { coarsening } from "../../../shared/contracts/coarsening.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import { describeAccess } from "../keys/caller.ts";
import {
  type GuardRoute,
  jsonResponse,
  noQuery,
  plainIdPath,
  problemResponses,
} from "../openapi/operation.ts";

/** The coarsening that an answer shows. */
export const shownCoarsening = coarsening.meta({ id: "Coarsening" });

/** Adds the route that shows how far what is stored about a user is coarsened, after their consent was lowered. */
export function addCoarseningRoute(app: Gateway, { services }: Dependencies, guard: GuardRoute): void {
  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/coarsenings/{id}",
      summary: "Get the progress of a coarsening, store by store",
      description: `${describeAccess("people:write")} A coarsening begins when a user's consent is lowered; the answer of that request contains its id.`,
      tags: ["People"],
      ...guard("people:write"),
      request: { params: plainIdPath, query: noQuery },
      responses: { 200: jsonResponse("The coarsening.", shownCoarsening), ...problemResponses },
    }),
    async (c) =>
      c.json(
        unwrap(
          await services.recommendation.getCoarsening(c.var.caller.application, c.req.valid("param").id),
          "the recommendation service",
        ),
        200,
      ),
  );
}
