import { createRoute, z } from "@hono/zod-openapi";
import { evaluation, evaluationInput } from "../../../shared/contracts/evaluation.ts";
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
  plainIdPath,
  problemResponses,
} from "../openapi/operation.ts";

const record = evaluation.meta({ id: "Evaluation" });
const tags = ["Models"];

/** Adds routes to evaluate a policy on the training log, and to read what was found. */
export function addEvaluationRoutes(app: Gateway, { services }: Dependencies, guard: GuardRoute): void {
  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/evaluations",
      summary: "Estimate from the log what another model or other rules would have earned",
      description:
        `${describeAccess("models:manage")} The estimate is off-policy: no user sees another list for it. An application runs one ` +
        "evaluation at a time; a second request is refused with 409. The status is `refused` where the log does not tell. A scenario whose " +
        "fields the log cannot answer is refused at once; the answer names the fields.",
      tags,
      ...guard("models:manage", kilobytes(16)),
      request: { query: noQuery, body: jsonBody(evaluationInput.meta({ id: "EvaluationBody" })) },
      responses: { 202: jsonResponse("Started.", record), ...problemResponses },
    }),
    async (c) =>
      c.json(
        unwrap(
          await services.trainer.evaluate(c.var.caller.application, c.req.valid("json")),
          "the trainer service",
        ),
        202,
      ),
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/evaluations",
      summary: "List the newest 50 evaluations",
      description: describeAccess("models:manage"),
      tags,
      ...guard("models:manage"),
      request: { query: noQuery },
      responses: {
        200: jsonResponse("Evaluations, newest first.", z.object({ items: z.array(record) })),
        ...problemResponses,
      },
    }),
    async (c) =>
      c.json(
        {
          items: unwrap(
            await services.trainer.listEvaluations(c.var.caller.application),
            "the trainer service",
          ),
        },
        200,
      ),
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/evaluations/{id}",
      summary: "Get an evaluation: its status, its estimates, and why it was refused",
      description: describeAccess("models:manage"),
      tags,
      ...guard("models:manage"),
      request: { params: plainIdPath, query: noQuery },
      responses: { 200: jsonResponse("The evaluation.", record), ...problemResponses },
    }),
    async (c) =>
      c.json(
        unwrap(
          await services.trainer.getEvaluation(c.var.caller.application, c.req.valid("param").id),
          "the trainer service",
        ),
        200,
      ),
  );
}
