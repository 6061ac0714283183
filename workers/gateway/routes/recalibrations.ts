import { createRoute } from "@hono/zod-openapi";
import { recalibration, recalibrationInput } from "../../../shared/contracts/recalibration.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import type { Gateway } from "../context.ts";
import type { Dependencies } from "../dependencies.ts";
import {
  type GuardRoute,
  idPath,
  jsonBody,
  jsonResponse,
  kilobytes,
  noQuery,
  problemResponses,
} from "../openapi/operation.ts";

const record = recalibration.meta({ id: "Recalibration" });
const tags = ["Models"];

/** Models made anew from what happened. */
export function addRecalibrationRoutes(app: Gateway, { services }: Dependencies, guard: GuardRoute): void {
  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/recalibrations",
      summary: "Learn a new model from the training log",
      description:
        "Admin, or a client key with models:manage. Every night this happens by itself. One runs at a time; where one is " +
        "under way, the answer is 409.",
      tags,
      ...guard("models:manage", kilobytes(4)),
      request: { query: noQuery, body: jsonBody(recalibrationInput.meta({ id: "RecalibrationBody" })) },
      responses: { 202: jsonResponse("Begun.", record), ...problemResponses },
    }),
    async (c) =>
      c.json(
        unwrap(
          await services.trainer.recalibrate(c.var.caller.application, c.req.valid("json")),
          "the trainer service",
        ),
        202,
      ),
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/recalibrations/{id}",
      summary: "Where a recalibration is, what it measured, and why it was refused",
      description: "Admin, or a client key with models:manage.",
      tags,
      ...guard("models:manage"),
      request: { params: idPath, query: noQuery },
      responses: { 200: jsonResponse("The recalibration.", record), ...problemResponses },
    }),
    async (c) =>
      c.json(
        unwrap(
          await services.trainer.getRecalibration(c.var.caller.application, c.req.valid("param").id),
          "the trainer service",
        ),
        200,
      ),
  );
}
