import { createRoute } from "@hono/zod-openapi";
import { recalibration, recalibrationInput } from "../../../shared/contracts/recalibration.ts";
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

const record = recalibration.meta({ id: "Recalibration" });
const tags = ["Models"];

/** Adds routes to start a recalibration, which trains a new model on recent events, and to follow its progress. */
export function addRecalibrationRoutes(app: Gateway, { services }: Dependencies, guard: GuardRoute): void {
  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/recalibrations",
      summary: "Train a new model on the training log",
      description:
        `${describeAccess("models:manage")} A recalibration also starts every night. An application runs one recalibration ` +
        "at a time; a second request is refused with 409.",
      tags,
      ...guard("models:manage", kilobytes(4)),
      request: { query: noQuery, body: jsonBody(recalibrationInput.meta({ id: "RecalibrationBody" })) },
      responses: { 202: jsonResponse("Started.", record), ...problemResponses },
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
      summary: "Get a recalibration: its status, its figures, and why its model was refused",
      description: describeAccess("models:manage"),
      tags,
      ...guard("models:manage"),
      request: { params: plainIdPath, query: noQuery },
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
